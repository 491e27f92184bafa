"""Battery monitoring, contract D: records by REST, packed frames and JSON objects by raw TCP.

A *record* is one row of the earlier system: battery data, performance or prediction, under an id of 24 hex digits. Its
numbers are readings like all others, so that charts, rules and exports see them. Records that came one by one are also
kept as they were written (``battery_records``), to be changed and deleted; frames of the TCP stream, a hundred thousand
a second, are readings only, and become records when somebody asks for them (``streams``). A *pack* is the device both
belong to.
"""
