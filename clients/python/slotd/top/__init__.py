"""`slotd top`: a live view of a service in the terminal.

`state` holds what is shown and knows neither the service nor the screen: `feed` fills it, over `slotd.aio`; `panes` say
what of it stands in which column; `app` draws them, with Textual, which nothing else here needs.
"""
