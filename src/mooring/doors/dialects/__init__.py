"""Dialects: thin doors for the clients of earlier systems, over the same devices, readings and people.

``openness`` says who may come in without credentials, ``arrivals`` registers devices that come unannounced, ``roll``
knows devices by id; each other folder is one dialect.
"""
