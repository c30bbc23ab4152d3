"""Where samples come from: this host, a folder, an archive, a sosreport. What they mean is not known here.

::

    files       the one list of what is read
    model       Capture, Sample, Process, Cost
    live        capture_live(): this host, over a window
    processes   who holds the memory
    open        open_capture(): anything that was captured before
    write       write_capture(): to a folder or an archive

Import from the modules: this package imports none of them, because a run needs only some.
"""
