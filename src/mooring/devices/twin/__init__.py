"""The twin of a device: what people want of it (desired), what it says it is (reported), what only we know (server).

Sends ``TwinChanged``; hears nothing. In the ThingsBoard device API these are shared, client and server attributes.
"""
