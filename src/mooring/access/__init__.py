"""Who may: people, their sessions, tokens and API keys, and the guard every door for people asks.

Words: a *person* (user) has a *role*; a log-in makes a *session*, known by a cookie, by short-lived access
tokens and by a refresh token that changes at each use; an *API key* stands for its owner without a log-in.
Sends ``SessionEnded``; hears nothing.
"""
