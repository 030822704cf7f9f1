"""Training itself: the LightningModule, the Trainer, a fold."""
