import Basics
import FileIO

/// The part of a scan's air that is in the lungs: by where it is and how much it is.
struct LungSelection {
    /// The limits within which a component of air holds a lung.
    struct Limits {
        /// The volume, mm³: 0.68 to 8.2 litres.
        var volume = 0.68e6...8.2e6
        /// The area, mm², beyond which a slice of it counts for the distance.
        var sliceArea = 6000.0
        /// The distance of its nearest point from the scan's axis, mm, that the mean over those slices is less than.
        var axisDistance = 62.0

        /// The cross-section, mm², that the chest of a grown-up has at least: the winners' limits are for these. For a
        /// smaller body they shrink with its width; by a fifth at most, which is smaller than any newborn's.
        static let chestArea = 40_000.0

        /// Makes limits for a body.
        ///
        /// - Parameter bodyArea: The mean cross-section of what is not outside air, mm².
        init(bodyArea: Double) {
            let scale = max(0.2, min(1, (bodyArea / Self.chestArea).squareRoot()))
            volume = volume.lowerBound * scale * scale * scale...volume.upperBound
            sliceArea *= scale * scale
            axisDistance *= scale
        }
    }

    /// The number of slices that are taken away at a time until lungs are found: at the top of a scan they may be
    /// connected with the air outside, by way of the mouth.
    private static let cutStep = 2

    let air: AirMask
    let spacing: ZYX<Double>
    /// Whether the last slice is the patient's topmost.
    let headIsLast: Bool
    /// The scan's name, for messages.
    let source: String

    private var voxelVolume: Double { spacing.product }

    /// Selects the lungs, airways included.
    ///
    /// - Throws: `InputError` where there are none.
    func lungs() throws -> BitVolume {
        let depth = air.voxels.extent.z
        var limits: Limits?
        var finding = ""
        for cut in stride(from: 0, to: depth, by: Self.cutStep) {
            let slices = headIsLast ? 0..<depth - cut : cut..<depth
            let components = Components(of: air.voxels, slices: slices, .faces)
            let background = background(components)
            let used = limits ?? Limits(bodyArea: bodyArea(components, background))
            limits = used
            let chosen = choose(components, background, used)
            if chosen.isEmpty {
                // What the whole scan holds is what to report.
                if cut == 0 { finding = describe(components, background, used) }
                continue
            }
            var selection = air.voxels
            for z in 0..<depth where !slices.contains(z) { selection.clear(slice: z) }
            components.remove(from: &selection, except: chosen.contains)
            if cut > 0 { restore(&selection, cut: cut) }
            return selection
        }
        throw InputError(
            source, "no lungs found: \(finding)",
            remedy: "if there are lungs in it, give a lung mask with the labels 3 and 4; otherwise leave the scan out")
    }

    /// The components that reach, in the first or the last slice, a place with air from outside.
    private func background(_ components: Components) -> Set<Int> {
        var background: Set<Int> = []
        for z in [components.slices.lowerBound, components.slices.upperBound - 1] {
            for place in air.outside[z] {
                let (y, x) = air.places[place]
                if let component = components[z, y, x] { background.insert(component) }
            }
        }
        return background
    }

    /// The mean cross-section, mm², of what is neither background nor padding.
    private func bodyArea(_ components: Components, _ background: Set<Int>) -> Double {
        let empty = background.reduce(air.paddingCount) { $0 + components.sizes[$1] }
        return Double(air.voxels.extent.product - empty) / Double(air.voxels.extent.z) * spacing.y * spacing.x
    }

    private func choose(_ components: Components, _ background: Set<Int>, _ limits: Limits) -> Set<Int> {
        let smallest = limits.volume.lowerBound / LungSeparation.largestRatio
        let large = components.sizes.indices.filter {
            !background.contains($0)
                && smallest...limits.volume.upperBound ~= Double(components.sizes[$0]) * voxelVolume
        }
        let profiles = profiles(of: large, components)
        func isLung(_ component: Int, _ share: Double) -> Bool {
            guard let profile = profiles[component] else { return false }
            return Double(components.sizes[component]) * voxelVolume >= limits.volume.lowerBound * share
                && profile.distance(sliceArea: limits.sliceArea * share) ?? .infinity < limits.axisDistance
        }
        let chosen = large.filter { isLung($0, 1) }
        guard let largest = chosen.map({ components.sizes[$0] }).max() else { return [] }
        // A lung that is not connected with the other by the airways stands alone, and may be smaller than two: as much
        // smaller as the two lungs may differ.
        let share = 1 / LungSeparation.largestRatio
        return Set(chosen).union(
            large.filter { Double(components.sizes[$0]) >= Double(largest) * share && isLung($0, share) })
    }

    /// A component slice by slice.
    private struct Profile {
        /// The area in each slice, mm².
        var areas: [Double]
        /// The distance from the nearest voxel of each slice to the scan's axis, mm.
        var distances: [Double]

        /// The mean distance over the slices with a larger area; nil where there is none.
        func distance(sliceArea: Double) -> Double? {
            let counted = areas.indices.filter { areas[$0] > sliceArea }
            return counted.isEmpty ? nil : counted.reduce(0) { $0 + distances[$1] } / Double(counted.count)
        }
    }

    private func profiles(of chosen: [Int], _ components: Components) -> [Int: Profile] {
        guard !chosen.isEmpty else { return [:] }
        let depth = air.voxels.extent.z
        let middle = air.voxels.extent.map { Double($0 - 1) / 2 }
        var profiles = chosen.map { _ in
            Profile(
                areas: Array(repeating: 0, count: depth), distances: Array(repeating: .infinity, count: depth))
        }
        var places = [Int](repeating: -1, count: components.count)
        for (place, component) in chosen.enumerated() { places[component] = place }
        components.forEachRun { component, z, y, x in
            let place = places[component]
            guard place >= 0 else { return }
            let nearest = max(Double(x.lowerBound), min(Double(x.upperBound - 1), middle.x))
            let offset = SIMD2((Double(y) - middle.y) * spacing.y, (nearest - middle.x) * spacing.x)
            profiles[place].areas[z] += Double(x.count) * spacing.y * spacing.x
            profiles[place].distances[z] = min(profiles[place].distances[z], (offset * offset).sum().squareRoot())
        }
        return Dictionary(uniqueKeysWithValues: zip(chosen, profiles))
    }

    /// Adds what belongs to the lungs in the slices that were taken away: no further from them than those are many.
    private func restore(_ selection: inout BitVolume, cut: Int) {
        var reach = selection
        reach.dilate(steps: cut)
        var all = air.voxels
        all.formIntersection(reach)
        for z in 0..<all.extent.z where headIsLast ? z < all.extent.z - cut : z >= cut {
            all.copy(slice: z, from: selection)
        }
        let components = Components(of: all, .faces)
        var isLung = [Bool](repeating: false, count: components.count)
        components.forEachRun { component, z, y, x in
            // A run here is one there, or lies in a slice that was taken away.
            if selection[z, y, x.lowerBound] { isLung[component] = true }
        }
        components.remove(from: &all) { isLung[$0] }
        selection = all
    }

    /// Explains why nothing of the scan is taken for a lung.
    private func describe(_ components: Components, _ background: Set<Int>, _ limits: Limits) -> String {
        func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        guard components.count > 0 else { return "nothing in the scan is darker than \(Int(AirMask.threshold)) HU" }
        guard let largest = components.bySize.first(where: { !background.contains($0) }) else {
            return "all air in the scan surrounds the body"
        }
        let volume = Double(components.sizes[largest]) * voxelVolume
        guard limits.volume.contains(volume) else {
            return
                "the largest space with air apart from what surrounds the body holds \(text(volume / 1e6)) litres, "
                + "expected \(text(limits.volume.lowerBound / 1e6)) to \(text(limits.volume.upperBound / 1e6))"
        }
        guard let distance = profiles(of: [largest], components)[largest]?.distance(sliceArea: limits.sliceArea) else {
            return
                "the largest space with air apart from what surrounds the body has \(Int(limits.sliceArea)) mm² in "
                + "no slice"
        }
        return
            "the largest space with air apart from what surrounds the body is \(text(distance)) mm from the scan's "
            + "axis, expected less than \(text(limits.axisDistance))"
    }
}
