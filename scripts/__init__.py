"""Programs that write files of this repository; run from its root as modules."""
