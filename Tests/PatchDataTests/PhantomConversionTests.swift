import CT
import Compute
import FileIO
import TestSupport
import Testing

@testable import PatchData

/// The whole way from MetaImage files to patches.
@Suite struct PhantomConversionTests {
    private static let options = ConversionOptions(preset: "luna16", cropSize: 32, jitter: 4, backgroundPatches: 1)

    private func convert(_ input: String, _ output: String, skipBad: Bool = false) throws -> Converter.Outcome {
        try Converter(
            layout: LUNA16Layout(directory: input), output: output, options: Self.options, jobs: 2, skipBad: skipBad
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
}
