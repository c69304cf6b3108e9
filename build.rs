//! Sets the linker flags that a Node-API addon needs on each system.

fn main() {
    #[cfg(feature = "node")]
    napi_build::setup();
}
