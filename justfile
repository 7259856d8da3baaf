# The habits of the house; `just` lists them.

default:
    @just --list

# Everything that must hold before a change lands.
check:
    bash .ci/run

# Format everything.
format:
    cargo fmt --all

# The kernels' tests under AddressSanitizer, on the stable compiler; in a folder of their own, for all is built anew.
sanitize:
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/sanitize \
        cargo test --release --locked --target x86_64-unknown-linux-gnu -p morphvae-kernels --lib --tests

# A GPU's results against PyTorch's and the processor's; Mesa's driver that computes on the processor is one. `just gpu gpu`
# tunes kernels as the feature `gpu` does.
gpu feature="wgpu":
    bash .ci/gpu {{feature}}

# What the program is made of: licences, sources, duplicates, and known faults, whose list comes from the network.
deny:
    cargo deny --locked check

# A binary to hand out.
dist:
    cargo build --profile dist

# Train the model that is compiled into the program, anew.
bundled-model:
    cargo run --release -- train --dataset mnist --out runs/bundled --force
    cargo run --release --example halve -- runs/bundled/model.safetensors models/mnist-2d.safetensors

# Find anew what stands for each class of that model; its weights stay as they are.
bundled-keys:
    cargo run --release --example typical -- models/mnist-2d.safetensors data
