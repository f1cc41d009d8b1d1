//! adapter-mainframe
