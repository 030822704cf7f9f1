"""What an attempt does with the devices and the cores that it keeps.

base      what a meter reads: a `Reading` of an attempt, in which a missing figure is None
log       readings become figures: means, peaks, energy, seconds kept but idle      (pure)
nvml      devices, through NVML
host      processor seconds and memory of an attempt's processes
machine   both together: the meter of this machine
fake      a meter that says what it was told to
"""
