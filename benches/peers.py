"""One measurement of a peer of morphvae; prints one JSON object.

usage: peers.py train|decode|evaluate [--network reference|mlp] --peer torch|onnxruntime
                [--mode eager|channels_last|compile] [--gpu] --batch N --seconds S
"""
import argparse
import json
import os
import resource
import statistics
import tempfile
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

LATENT = 2
# Linear layers for 28 x 28 pixels.
PIXELS, HIDDEN, MLP_LATENT = 784, 400, 40


def encoder_block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(True), nn.MaxPool2d(2))


def decoder_block(inputs, outputs, padding, activation):
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, padding), nn.BatchNorm2d(outputs), activation)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = encoder_block(1, 64), encoder_block(64, 128), encoder_block(128, 256)
        self.conv4 = nn.Sequential(nn.Conv2d(256, 512, 4), nn.BatchNorm2d(512), nn.ReLU(True))
        self.mean, self.var = nn.Linear(512, LATENT), nn.Linear(512, LATENT)
        self.decoder = nn.Sequential(nn.Linear(LATENT, 512), nn.BatchNorm1d(512), nn.ReLU(True))
        self.convTrans1 = decoder_block(512, 256, 0, nn.ReLU(True))
        self.convTrans2 = decoder_block(256, 128, 1, nn.ReLU(True))
        self.convTrans3 = decoder_block(128, 64, 1, nn.ReLU(True))
        self.convTrans4 = decoder_block(64, 1, 1, nn.Sigmoid())

    def decode(self, z):
        x = self.decoder(z).view(-1, 512, 1, 1)
        return self.convTrans4(self.convTrans3(self.convTrans2(self.convTrans1(x))))

    def forward(self, x):
        features = self.conv4(self.conv3(self.conv2(self.conv1(x)))).reshape(-1, 512)
        mean, log_variance = self.mean(features), self.var(features)
        kl = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
        y = self.decode(mean + torch.randn_like(mean) * (log_variance * 0.5).exp())
        return kl - torch.sum(x * torch.log(y + 1e-7) + (1 - x) * torch.log(1 - y + 1e-7))


class Mlp(nn.Module):
    """A variational autoencoder of linear layers, as PyTorch's own example has it."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU())
        self.mean, self.var = nn.Linear(HIDDEN, MLP_LATENT), nn.Linear(HIDDEN, MLP_LATENT)
        self.logits = nn.Sequential(nn.Linear(MLP_LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))

    def forward(self, x):
        x = x.reshape(-1, PIXELS)
        features = self.encoder(x)
        mean, log_variance = self.mean(features), self.var(features)
        kl = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
        y = torch.sigmoid(self.logits(mean + torch.randn_like(mean) * (log_variance * 0.5).exp()))
        return kl + F.binary_cross_entropy(y, x, reduction="sum")


class Decoder(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, z):
        return self.vae.decode(z)


# Where everything is computed; a GPU is behind with its work whenever another step is asked for.
DEVICE, AT_A_TIME = torch.device("cpu"), 1


def use_the_gpu():
    global DEVICE, AT_A_TIME
    DEVICE, AT_A_TIME = torch.device("cuda" if torch.cuda.is_available() else "mps"), 10
    torch.set_default_device(DEVICE)


def wait():
    if DEVICE.type != "cpu":
        getattr(torch, DEVICE.type).synchronize()


def median_seconds(step, seconds):
    """The median over repetitions of `step`; the first ones warm up and do not count."""
    for _ in range(3):
        step()
    wait()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        for _ in range(AT_A_TIME):
            step()
        wait()
        times.append((time.perf_counter() - start) / AT_A_TIME)
    return statistics.median(times)


def train(arguments):
    is_mlp = arguments.network == "mlp"
    model = Mlp() if is_mlp else Vae()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5, fused=arguments.fused)
    channels_last = arguments.mode == "channels_last"
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    loss_of = torch.compile(model) if arguments.mode == "compile" else model
    # Digits are loaded and resized in each step, as morphvae does it beside the step.
    digits = torch.randint(0, 256, (4096, 1, 28, 28), dtype=torch.uint8)

    def step():
        chosen = digits[torch.randint(0, len(digits), (arguments.batch,))].float() / 255
        images = chosen if is_mlp else F.interpolate(chosen, size=32, mode="bilinear", align_corners=False, antialias=True)
        if channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        loss = loss_of(images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return median_seconds(step, arguments.seconds)


def decode(arguments):
    points = torch.randn(arguments.batch, LATENT)
    model = Decoder(Vae()).eval()
    if arguments.peer == "torch":
        decoder = torch.compile(model) if arguments.mode == "compile" else model
        # Images that are to be seen come back from a GPU.
        with torch.inference_mode():
            return median_seconds(lambda: decoder(points).cpu(), arguments.seconds)
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "decoder.onnx")
        torch.onnx.export(
            model, (torch.randn(2, LATENT),), path, input_names=["z"], output_names=["x"],
            dynamic_axes={"z": {0: "n"}, "x": {0: "n"}}, dynamo=False,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    values = points.numpy().astype(np.float32)
    return median_seconds(lambda: session.run(None, {"z": values}), arguments.seconds)


def evaluate(arguments):
    """How likely one image of black and white pixels is, seen from many points; PyTorch's fastest way, by logits."""
    points = torch.randn(arguments.batch, MLP_LATENT)
    image = torch.bernoulli(torch.full((PIXELS,), 0.2)).expand(arguments.batch, PIXELS)
    logits = Mlp().logits

    def step():
        return F.binary_cross_entropy_with_logits(logits(points), image, reduction="none").sum(1)

    with torch.inference_mode():
        return median_seconds(step, arguments.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["train", "decode", "evaluate"])
    parser.add_argument("--network", choices=["reference", "mlp"], default="reference")
    parser.add_argument("--peer", choices=["torch", "onnxruntime"], default="torch")
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    parser.add_argument("--fused", action="store_true", help="PyTorch's fused Adam")
    parser.add_argument("--gpu", action="store_true", help="on a GPU and not on the processor")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.gpu:
        use_the_gpu()
    torch.manual_seed(0)
    seconds = {"train": train, "decode": decode, "evaluate": evaluate}[arguments.work](arguments)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images_per_second": arguments.batch / seconds, "peak_memory_bytes": memory}))


main()
