//! Each peer answers a test that talks to it directly: what a scene through the bus may then expect.

mod layout;
mod mainframe;
