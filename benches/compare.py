#!/usr/bin/env python3
"""Times morphvae beside PyTorch and ONNX Runtime on this machine's processor, or beside PyTorch on its GPU, and prints the
ratios.

Everything runs interleaved, a little of each in every round, and each figure is the median over the rounds with the
lowest and the highest in brackets: so a busy machine slows all of them alike. The first run makes a virtual
environment beside this file and installs the peers into it (about 1 GB).

usage: benches/compare.py [--rounds 5] [--seconds 2] [--only WORD] [--device gpu]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
PACKAGES = ["numpy==2.*", "onnx==1.*", "onnxruntime==1.*"]
TORCH = ["torch==2.15.*"]
TORCH_FOR_CPUS = "https://download.pytorch.org/whl/cpu"

# Linear layers for 28 x 28 pixels; peers.py has the same.
MLP = "--architecture mlp --hidden 400 --latent 40 --image-size 28 --dataset strokes --limit 100 --epochs 1 --grid 4"

# What is compared: a name, the network, our measurement, and the peers' that it is held against.
TRAIN_30 = [
    ("PyTorch eager", ["train", "--batch", "30"]),
    ("PyTorch eager, fused Adam", ["train", "--batch", "30", "--fused"]),
]
TRAIN_128 = [
    ("PyTorch eager, fused Adam", ["train", "--batch", "128", "--fused"]),
    ("PyTorch channels_last, fused Adam", ["train", "--batch", "128", "--fused", "--mode", "channels_last"]),
    ("PyTorch compile, fused Adam", ["train", "--batch", "128", "--fused", "--mode", "compile"]),
]
TRAIN_MLP = [
    ("PyTorch eager", ["train", "--network", "mlp", "--batch", "100"]),
    ("PyTorch eager, fused Adam", ["train", "--network", "mlp", "--batch", "100", "--fused"]),
]
EVALUATE_MLP = [("PyTorch eager", ["evaluate", "--network", "mlp", "--batch", "1000"])]


def decoders(batch):
    return [
        ("ONNX Runtime", ["decode", "--peer", "onnxruntime", "--batch", str(batch)]),
        ("PyTorch eager", ["decode", "--batch", str(batch)]),
    ]


COMPARISONS = [
    ("training, batch 30", "reference", ("training", 30), TRAIN_30),
    ("training, batch 128", "reference", ("training", 128), TRAIN_128),
    ("decoding, batch 1", "reference", ("decoding", 1), decoders(1)),
    ("decoding, batch 30", "reference", ("decoding", 30), decoders(30)),
    ("decoding, batch 256", "reference", ("decoding", 256), decoders(256)),
    ("mlp, training at 100", "mlp", ("training", 100), TRAIN_MLP),
    ("mlp, likelihood of one", "mlp", ("evaluation", 1000), EVALUATE_MLP),
]


def on_a_gpu(work, batch):
    modes = [("eager, fused Adam", "eager"), ("compile, fused Adam", "compile")]
    if work == "decode":
        modes = [("eager", "eager"), ("compile", "compile")]
    fused = ["--fused"] if work == "train" else []
    return [(f"PyTorch {name}", [work, "--batch", str(batch), *fused, "--mode", mode]) for name, mode in modes]


COMPARISONS_ON_A_GPU = [
    ("training, batch 30", "reference", ("training", 30), on_a_gpu("train", 30)),
    ("training, batch 128", "reference", ("training", 128), on_a_gpu("train", 128)),
    ("training, batch 1024", "reference", ("training", 1024), on_a_gpu("train", 1024)),
    ("decoding, batch 1024", "reference", ("decoding", 1024), on_a_gpu("decode", 1024)),
]


def prepare(for_a_gpu):
    """The program, built, and the peers' environment."""
    build = ["cargo", "build", "--release", "--bin", "morphvae"]
    if for_a_gpu:
        build += ["--features", "morphvae-cli/gpu"]
    subprocess.run(build, cwd=HERE.parent, check=True)
    if not PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        pip = [PYTHON, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES], check=True)
        # The build for processors is a fifth of the size; where its index cannot be reached, the usual one does.
        small = [*pip, "--index-url", TORCH_FOR_CPUS, *TORCH]
        if for_a_gpu or subprocess.run(small, stderr=subprocess.DEVNULL).returncode != 0:
            subprocess.run([*pip, *TORCH], check=True)
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--no-deps"],
            cwd=HERE.parent, check=True, capture_output=True, text=True,
        ).stdout
    )
    return Path(metadata["target_directory"]) / "release" / "morphvae"


def run(command, environment=None):
    """The JSON object that a command prints, or none if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"  failed: {' '.join(map(str, command))}: {reason}", file=sys.stderr)
        return None
    return json.loads(result.stdout.strip().splitlines()[-1])


def figure(values, unit):
    if not values:
        return "could not run"
    return f"{statistics.median(values):7.0f} {unit} [{min(values):.0f}, {max(values):.0f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything runs [5]")
    parser.add_argument("--seconds", type=int, default=2, help="time for each measurement [2]")
    parser.add_argument("--only", default="", help="only comparisons whose name contains this")
    parser.add_argument("--device", default="cpu", help="cpu, or what `morphvae devices` lists [cpu]")
    arguments = parser.parse_args()
    for_a_gpu = arguments.device != "cpu"
    comparisons = [
        entry for entry in (COMPARISONS_ON_A_GPU if for_a_gpu else COMPARISONS) if arguments.only in entry[0]
    ]
    program = prepare(for_a_gpu)
    threads = str(os.cpu_count())
    networks = {network for _, network, _, _ in comparisons}
    peers = {tuple(command) for _, _, _, group in comparisons for _, command in group}

    with tempfile.TemporaryDirectory() as folder:
        mlp = Path(folder) / "mlp"
        if "mlp" in networks:
            subprocess.run([program, "train", *MLP.split(), "--quiet", "--out", mlp], check=True)
        models = {"reference": [], "mlp": [mlp]}
        ours, one_thread, theirs = {network: [] for network in networks}, [], {command: [] for command in peers}
        for number in range(1, arguments.rounds + 1):
            print(f"round {number} of {arguments.rounds}", file=sys.stderr)
            bench = [program, "bench", "--quiet", "--json", "--seconds", str(arguments.seconds)]
            bench += ["--device", arguments.device]
            for network in networks:
                ours[network].append(run([*bench, *models[network], "--threads", threads]))
            if "reference" in networks and not for_a_gpu:
                one_thread.append(run([*bench, "--threads", "1"]))
            for command, results in theirs.items():
                options = ["--seconds", str(arguments.seconds), "--threads", threads]
                options += ["--gpu"] if for_a_gpu else []
                result = run([PYTHON, HERE / "peers.py", *command, *options], {"OMP_NUM_THREADS": threads})
                if result:
                    results.append(result)

    ours = {network: [result for result in results if result] for network, results in ours.items()}
    one_thread = [result for result in one_thread if result]
    if not all(ours.values()) or ("reference" in networks and not one_thread and not for_a_gpu):
        sys.exit("morphvae bench could not run")
    speed = lambda result, kind, batch: next(
        entry["images_per_second"] for entry in result[kind] if entry["batch"] == batch
    )
    simd = next(iter(ours.values()))[0]["simd"]
    where = arguments.device if for_a_gpu else f"{threads} threads, {simd}"
    print(f"{where}; medians of {arguments.rounds} rounds [lowest, highest], images/s\n")
    for name, network, (kind, batch), group in comparisons:
        values = [speed(result, kind, batch) for result in ours[network]]
        print(f"{name:22} {'morphvae':34} {figure(values, 'images/s')}")
        for peer, command in group:
            results = [result["images_per_second"] for result in theirs[tuple(command)]]
            ratio = f"  morphvae is {statistics.median(values) / statistics.median(results):.2f}x" if results else ""
            print(f"{'':22} {peer:34} {figure(results, 'images/s')}{ratio}")
    if "reference" not in networks or for_a_gpu:
        return
    reference = ours["reference"]
    one = statistics.median(speed(result, "training", 30) for result in one_thread)
    two = statistics.median(speed(result, "training", 30) for result in reference)
    print(f"\ntraining at batch 30 on {threads} threads against one: {two / one:.2f}x ({one:.0f} images/s on one)")
    share = statistics.median(result["peak_fraction"] for result in reference)
    print(f"training at batch 30: {100 * share:.0f} % of the processor's measured multiply-add peak, by the layers' definition")
    memory = lambda results: statistics.median(result["peak_memory_bytes"] or 0 for result in results) / 1e6
    print(f"peak memory of training at batch 30: morphvae {memory(reference):.0f} MB", end="")
    eager = theirs.get(tuple(TRAIN_30[0][1]))
    print(f", PyTorch eager {memory(eager):.0f} MB" if eager else "")


main()
