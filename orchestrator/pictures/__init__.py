"""The pictures under a notice: what a fold got wrong, drawn when the notice is sent."""
