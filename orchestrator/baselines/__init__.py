"""What a run is compared with: finished groups on the same data, metric and folds.

`book.py` answers, `comparison.py` is the answer, `fold_view.py` reads one fold of the state,
`agreement.py` the file in which a training says which pictures it got right.
"""
