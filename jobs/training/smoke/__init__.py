"""The ten-second rehearsal on a CPU."""
