"""The journeys of messages; each module is one step (docs/flow.md)."""
