"""The job `fit`: a LightningModule and a LightningDataModule of the user's own."""
