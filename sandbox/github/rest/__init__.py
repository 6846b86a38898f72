"""REST below `/api/v3`: what GitHub's OpenAPI description says of the endpoints that Octobatch and its tests use.

`endpoint` says what an endpoint is, `serving` does what all have in common (faults, authentication, limits, ETags,
pages, errors), and each other module has the endpoints of one subject in a table `ENDPOINTS`.
"""
