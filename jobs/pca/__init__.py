"""`pca`: many bands into few components."""
