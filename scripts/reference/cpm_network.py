"""The center-point network `cpm-net` in PyTorch, written from its description, to compare luna with.

Grid: input [N, 1, D, H, W] -> [N, D/4, H/4, W/4, 1, 7]; D, H, W are multiples of 16. The seven components are (logit,
offset z, y, x in cells, half extent z, y, x in voxels). Module names, and so `state_dict` keys and their order, are
those that luna reads and writes.

Architecture: CPMNet v2, after W. Song et al., "CPM-Net: A 3D center-points matching network for pulmonary nodule
detection in CT scans", MICCAI 2020.
"""

import math

import torch
from torch import nn

PARAMETER_COUNT = 16_524_999
COMPONENTS = 7


class Unit(nn.Module):
    """A convolution without bias and its normalisation; ReLU follows where wanted."""

    def __init__(self, norm, inputs, outputs, side=3, stride=1, relu=True, transposed=False):
        super().__init__()
        kind, padding = (nn.ConvTranspose3d, 0) if transposed else (nn.Conv3d, (side - 1) // 2)
        self.conv = kind(inputs, outputs, side, stride, padding, bias=False)
        self.norm = norm(outputs)
        self.relu = relu

    def forward(self, x):
        y = self.norm(self.conv(x))
        return torch.relu(y) if self.relu else y


class Block(nn.Module):
    """Two convolutions beside a shortcut; the last ReLU follows their sum."""

    def __init__(self, norm, inputs, outputs):
        super().__init__()
        self.conv1 = Unit(norm, inputs, outputs)
        self.conv2 = Unit(norm, outputs, outputs, relu=False)
        self.res = None if inputs == outputs else Unit(norm, inputs, outputs, side=1, relu=False)

    def forward(self, x):
        return torch.relu(self.conv2(self.conv1(x)) + (x if self.res is None else self.res(x)))


class Stage(nn.Module):
    def __init__(self, norm, inputs, outputs, blocks):
        super().__init__()
        self.conv = nn.Sequential(*(Block(norm, inputs if i == 0 else outputs, outputs) for i in range(blocks)))

    def forward(self, x):
        return self.conv(x)


class Head(nn.Module):
    def __init__(self, norm, channels):
        super().__init__()
        for tower, output, count in (("conv_s", "cls", 1), ("conv_r", "shape", 3), ("conv_o", "offset", 3)):
            setattr(self, tower, nn.Sequential(*(Unit(norm, channels, channels) for _ in range(3))))
            setattr(self, f"{output}_output", nn.Conv3d(channels, count, 3, padding=1))

    def forward(self, x):
        return torch.cat((self.cls_output(self.conv_s(x)), self.offset_output(self.conv_o(x)),
                          self.shape_output(self.conv_r(x))), 1)


def batch_norm(channels):
    return nn.BatchNorm3d(channels, momentum=0.05)


class CenterPointNetwork(nn.Module):
    def __init__(self, norm=batch_norm):
        super().__init__()
        self.in_conv = Unit(norm, 1, 32)
        self.in_dw = Unit(norm, 32, 64, stride=2)
        self.block1 = Stage(norm, 64, 64, 2)
        self.block1_dw = Unit(norm, 64, 96, side=2, stride=2)
        self.block2 = Stage(norm, 96, 96, 3)
        self.block2_dw = Unit(norm, 96, 128, side=2, stride=2)
        self.block3 = Stage(norm, 128, 128, 3)
        self.block3_dw = Unit(norm, 128, 160, side=2, stride=2)
        self.block4 = Stage(norm, 160, 160, 3)
        self.block33_up = Unit(norm, 160, 128, side=2, stride=2, transposed=True)
        self.block33_res = Stage(norm, 128, 128, 1)
        self.block33 = Stage(norm, 256, 128, 2)
        self.block22_up = Unit(norm, 128, 96, side=2, stride=2, transposed=True)
        self.block22_res = Stage(norm, 96, 96, 1)
        self.block22 = Stage(norm, 192, 96, 2)
        self.head = Head(norm, 96)
        count = sum(p.numel() for p in self.parameters())
        if count != PARAMETER_COUNT:
            raise AssertionError(f"the network has {count} parameters instead of {PARAMETER_COUNT}")
        self.initialize()

    def initialize(self):
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                fan_in = module.weight[0].numel()
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_in))
        for layer, bias in ((self.head.cls_output, -math.log(99)), (self.head.shape_output, 0.5),
                            (self.head.offset_output, 0.05)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, input, coord=None):
        """`coord` is not read: other networks' users have it."""
        half = self.block1(self.in_dw(self.in_conv(input)))
        quarter = self.block2(self.block1_dw(half))
        eighth = self.block3(self.block2_dw(quarter))
        sixteenth = self.block4(self.block3_dw(eighth))
        up3 = self.block33(torch.cat((self.block33_up(sixteenth), self.block33_res(eighth)), 1))
        up2 = self.block22(torch.cat((self.block22_up(up3), self.block22_res(quarter)), 1))
        return self.head(up2).permute(0, 2, 3, 4, 1).unsqueeze(4)
