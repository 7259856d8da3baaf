# The habits of the house; `just` lists them.

default:
    @just --list

# Everything that must hold before a change lands.
check:
    bash .ci/run

# Format everything.
format:
    cargo fmt --all

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
