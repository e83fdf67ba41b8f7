//! Tests of the routes, over a service in memory with a clock that stands still.
