"""What devices said: ingest with receipts, the Series port, newest values, history.

Hears nothing; sends ``FramesStored`` for every committed batch. Words: a *frame* is one message of a device, a
*reading* is one value of one key at one time, a *series* is all readings of one key of one device.
"""
