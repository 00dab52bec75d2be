"""The nodule network in PyTorch, written from its description, to compare luna with.

Grid: input [N, 1, D, H, W], coord [N, 3, D/4, H/4, W/4] -> [N, D/4, H/4, W/4, 3 anchors, 5]; D, H, W are multiples
of 16. The five components are (logit, dz, dy, dx, dd). Module names, and so `state_dict` keys and their order, are
those that luna reads and writes.

Architecture: F. Liao et al., "Evaluate the malignancy of pulmonary nodules using the 3-D deep leaky noisy-or
network", IEEE TNNLS 2019.
"""

import torch
from torch import nn

PARAMETER_COUNT = 5_383_623
ANCHORS = 3
COMPONENTS = 5


def group_norm(channels):
    """Group normalisation in groups of 8 channels, which `nodule-net-gn` and `cpm-net-gn` have instead of batch norm."""
    return nn.GroupNorm(channels // 8, channels)


class PostRes(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut; the last ReLU follows their sum."""

    def __init__(self, inputs, outputs, norm):
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.bn1 = norm(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv3d(outputs, outputs, 3, padding=1)
        self.bn2 = norm(outputs)
        if inputs == outputs:
            self.shortcut = None
        else:
            self.shortcut = nn.Sequential(nn.Conv3d(inputs, outputs, 1), norm(outputs))

    def forward(self, x):
        residual = x if self.shortcut is None else self.shortcut(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + residual)


def stage(inputs, outputs, blocks, norm):
    return nn.Sequential(*(PostRes(inputs if i == 0 else outputs, outputs, norm) for i in range(blocks)))


def upward(channels, norm):
    return nn.Sequential(
        nn.ConvTranspose3d(channels, channels, 2, stride=2), norm(channels), nn.ReLU(inplace=True))


class NoduleNetwork(nn.Module):
    def __init__(self, dropout=0.2, norm=nn.BatchNorm3d):
        super().__init__()
        self.preBlock = nn.Sequential(
            nn.Conv3d(1, 24, 3, padding=1), norm(24), nn.ReLU(inplace=True),
            nn.Conv3d(24, 24, 3, padding=1), norm(24), nn.ReLU(inplace=True))
        self.forw1 = stage(24, 32, 2, norm)
        self.forw2 = stage(32, 64, 2, norm)
        self.forw3 = stage(64, 64, 3, norm)
        self.forw4 = stage(64, 64, 3, norm)
        self.back2 = stage(64 + 64 + 3, 128, 3, norm)
        self.back3 = stage(64 + 64, 64, 3, norm)
        self.pool = nn.MaxPool3d(2, stride=2)
        self.path1 = upward(64, norm)
        self.path2 = upward(64, norm)
        self.drop = nn.Dropout3d(dropout)
        self.output = nn.Sequential(
            nn.Conv3d(128, 64, 1), nn.ReLU(inplace=True), nn.Conv3d(64, ANCHORS * COMPONENTS, 1))
        count = sum(p.numel() for p in self.parameters())
        if count != PARAMETER_COUNT:
            raise AssertionError(f"the network has {count} parameters instead of {PARAMETER_COUNT}")

    def forward(self, input, coord):
        full = self.preBlock(input)
        half = self.forw1(self.pool(full))
        quarter = self.forw2(self.pool(half))
        eighth = self.forw3(self.pool(quarter))
        sixteenth = self.forw4(self.pool(eighth))
        up3 = self.back3(torch.cat((self.path1(sixteenth), eighth), 1))
        up2 = self.back2(torch.cat((self.path2(up3), quarter, coord), 1))
        y = self.output(self.drop(up2))
        n, _, d, h, w = y.shape
        return y.reshape(n, ANCHORS, COMPONENTS, d, h, w).permute(0, 3, 4, 5, 1, 2)
