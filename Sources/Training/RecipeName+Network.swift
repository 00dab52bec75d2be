// A recipe goes with the networks that give as many numbers as it reads.

import Detection
import Networks

extension RecipeName {
    /// The numbers of a cell that the recipe reads, for messages: `3 anchors of 5 numbers`.
    private var cell: String {
        let recipe = recipe(anchors: Preset.luna16.anchors)
        return "\(recipe.anchorsPerCell) anchor\(recipe.anchorsPerCell == 1 ? "" : "s") of \(recipe.components) numbers"
    }

    /// Whether the recipe reads what a network gives.
    public func fits(_ network: Architecture) -> Bool {
        let recipe = recipe(anchors: Preset.luna16.anchors)
        return recipe.anchorsPerCell == network.anchors && recipe.components == network.components
    }

    /// Whether a network's cells have anchors of given sizes.
    public static func hasAnchors(_ network: Architecture) -> Bool {
        !standard(for: network).recipe(anchors: Preset.luna16.anchors).anchors.isEmpty
    }

    /// The recipe that is meant for a network where none is named that fits it.
    ///
    /// - Parameter name: The recipe that is named, if one is.
    public static func standard(for network: Architecture, named name: RecipeName? = nil) -> RecipeName {
        if let name, name.fits(network) { return name }
        guard let recipe = allCases.first(where: { $0.fits(network) }) else {
            preconditionFailure("no recipe reads what \(network.name) gives")
        }
        return recipe
    }

    /// The reason why a network cannot learn by the recipe, or nil where it can.
    func misfit(_ network: Architecture) -> String? {
        if fits(network) { return nil }
        let recipes = Self.allCases.filter { $0.fits(network) }.map(\.rawValue)
        let networks = Architecture.allCases.filter(fits).map(\.name)
        return "\(rawValue) reads \(cell) for a cell, the network \(network.name) gives \(network.anchors) of "
            + "\(network.components): set recipe to \(recipes.joined(separator: " or ")), "
            + "or network to \(networks.joined(separator: " or "))"
    }
}
