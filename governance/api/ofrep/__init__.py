"""OFREP 0.3, the OpenFeature Remote Evaluation Protocol: any OpenFeature SDK in any language reads kill switches here.

All of it answers from memory. Source: https://github.com/open-feature/protocol (service/openapi.yaml and
event-streams.yaml)
"""
