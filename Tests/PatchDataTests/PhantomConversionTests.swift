import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import PatchData

/// The whole way from MetaImage files to patches.
@Suite struct PhantomConversionTests {
    private static let options = ConversionOptions(preset: "luna16", cropSize: 32, jitter: 4, backgroundPatches: 1)

    private func convert(
        _ input: String, _ output: String, skipBad: Bool = false, segmentLungs: Bool = false
    ) throws -> Converter.Outcome {
        try Converter(
            layout: LUNA16Layout(directory: input), output: output, options: Self.options, jobs: 2, skipBad: skipBad,
            segmentLungs: segmentLungs
        ).run()
    }

    @Test func nodulesAreBrightInTheirPatchesAndComeBackToTheWorld() throws {
        try withTemporaryDirectory { directory in
            let input = "\(directory)/in"
            try PhantomDataSet(scans: 4, seed: 3, size: 64).write(to: input, pool: ThreadPool(threads: 2))
            let layout = try LUNA16Layout(directory: input)
            let annotations = try ScanAnnotations.read(try #require(layout.annotationsPath))
            let outcome = try convert(input, "\(directory)/out")
            #expect(outcome.convertedScans == 4 && outcome.badScans.isEmpty)
            let dataset = try PatchDataset(directory: "\(directory)/out")
            var nodules = 0
            for entry in dataset.volumes() {
                let volume = try CleanVolumeFile.read(entry.path)
                let listed = annotations[entry.seriesUID] ?? []
                #expect(volume.nodules.count + volume.outsideLabels.count == listed.count)
                for nodule in volume.nodules {
                    let world = volume.frame.world(nodule.center)
                    let isListed = listed.contains {
                        abs($0.center.x - world.x) + abs($0.center.y - world.y) + abs($0.center.z - world.z) < 1e-6
                    }
                    #expect(isListed)
                }
                nodules += volume.nodules.count
            }
            #expect(nodules > 0 && dataset.patches.count { $0.kind == .nodule } == nodules)
            let side = dataset.patchSide
            for (index, patch) in dataset.patches.enumerated() {
                guard let target = patch.target else { continue }
                let voxels = try dataset.voxels(index)
                let middle = patch.nodules[target].center.map { Int($0.rounded()) } - patch.corner
                // Lung is below −700 HU (grey 71), soft tissue near 0 HU (170).
                #expect(voxels[(middle.z * side + middle.y) * side + middle.x] > 110)
            }
        }
    }

    @Test func aTruncatedScanIsNamedWithItsRemedy() throws {
        try withTemporaryDirectory { directory in
            let input = "\(directory)/in"
            try PhantomDataSet(scans: 2, seed: 4, size: 64).write(to: input, pool: ThreadPool(threads: 2))
            let scan = try LUNA16Layout(directory: input).scans[1]
            let raw = scan.path.replacing(".mhd", with: ".raw")
            try AtomicFile.write(try FileContent.bytes(raw).dropLast(7), to: raw)
            let outcome = try convert(input, "\(directory)/out")
            #expect(outcome.manifest == nil && outcome.convertedScans == 1)
            #expect(outcome.badScans.map(\.seriesuid) == [scan.seriesUID])
            #expect(outcome.badScans[0].reason.contains(raw))
            #expect(FileContent.size("\(directory)/out/dataset.json") == nil)
            let skipped = try convert(input, "\(directory)/out", skipBad: true)
            #expect(skipped.manifest?.scans == 1)
        }
    }

    @Test func lungsWithoutAMaskAreSegmented() throws {
        try withTemporaryDirectory { directory in
            let (input, output) = ("\(directory)/in", "\(directory)/out")
            try PhantomDataSet(scans: 3, seed: 3, size: 96).write(to: input, pool: ThreadPool(threads: 2))
            let (masks, away) = ("\(input)/seg-lungs-LUNA16", "\(directory)/away")
            let scans = try LUNA16Layout(directory: input).scans.map(\.seriesUID)
            let withMasks = try convert(input, "\(directory)/whole")
            #expect(withMasks.manifest?.segmentedScans == nil)

            try FileManager.default.moveItem(atPath: masks, toPath: away)
            let without = try convert(input, output)
            #expect(without.manifest?.segmentedScans == scans && without.badScans.isEmpty)
            let dataset = try PatchDataset(directory: output)
            #expect(dataset.manifest.segmentedScans == scans)
            for entry in dataset.volumes() { #expect(try CleanVolumeFile.read(entry.path).hasSegmentedLungs) }
            let inspection = try Inspection(output)
            #expect(inspection.facts.contains { $0.name == "lungs segmented" && $0.value == "3 scans" })
            #expect(try convert(input, output).keptScans == 3)

            // With masks for all but one of them: those are made anew, and the one that is found already is kept.
            try FileManager.default.moveItem(atPath: away, toPath: masks)
            for ending in ["mhd", "zraw"] {
                try FileManager.default.removeItem(atPath: "\(masks)/\(scans[1]).\(ending)")
            }
            let some = try convert(input, output)
            #expect(some.keptScans == 1 && some.convertedScans == 2 && some.manifest?.segmentedScans == [scans[1]])
            // Where nothing is made yet, a missing mask is an error unless it is asked for.
            let missing = try convert(input, "\(directory)/other")
            #expect(missing.manifest == nil && missing.badScans.map(\.seriesuid) == [scans[1]])
            #expect(missing.badScans.first?.reason.contains("--segment-lungs") == true)
            let asked = try convert(input, "\(directory)/other", segmentLungs: true)
            #expect(asked.convertedScans == 1 && asked.manifest?.segmentedScans == [scans[1]])
            #expect(try MadeScans.content("\(directory)/other") == MadeScans.content(output))
        }
    }
}
