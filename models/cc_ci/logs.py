"""What the console of a run says of it: log lines by the field of an observed run that they give."""

LOG_LINES = {
    "computed": r"taking chaos version: (?P<value>[0-9a-f]{7,40}(?:\+U)?)",
    "stamp": r"chaos commit '(?P<value>[^']+)', not the intended PR-head '(?P<intended>[^']+)' \(HC1\)",
    "reached": r"(?P<value>secret not generated)",
}
"""abra's log of the chaos version that it takes (cli/app/deploy.go:372), HC1's failure text, abra's secret check."""
