// An optimiser's state in a checkpoint: a group of tensors for every slot.

import FileIO
import HDF5
import Learning
import Networks

extension OptimizerState {
    /// The group's attribute with the names of slots, beside `<group>/<slot>/<parameter>`; checkpoints before version 3
    /// lack it.
    private static let slotsAttribute = "slots"
    /// The group's attribute with the number of updates; checkpoints before version 3 lack it.
    private static let updatesAttribute = "updates"
    /// The slots of a group without these attributes.
    private static let unnamedSlots = ["momentum"]

    /// Writes every slot as a group of tensors.
    ///
    /// - Parameter describes: Whether the slots' names and the updates are written, too.
    /// - Throws: `FileError`.
    func write(
        to file: borrowing HDF5File, group: String, _ tensors: ParameterTable, describes: Bool
    ) throws {
        for (name, values) in zip(names, slots) {
            try WeightsFile.writeTable(tensors, values, group: "\(group)/\(name)", to: file)
        }
        guard describes else { return }
        try file.setAttribute(Self.slotsAttribute, of: group, to: names)
        try file.setAttribute(Self.updatesAttribute, of: group, to: Int64(updates))
    }

    /// Reads the slots of a group.
    ///
    /// - Throws: `InputError` naming the attribute or tensor that is not as expected.
    init(reading file: borrowing HDF5File, group: String, _ tensors: ParameterTable) throws {
        let isDescribed = file.isGroup(group) && file.hasAttribute(Self.slotsAttribute, of: group)
        let names =
            isDescribed ? try file.attribute(Self.slotsAttribute, of: group, as: [String].self) : Self.unnamedSlots
        guard names.count <= 8, Set(names).count == names.count else {
            throw InputError(file.path, at: group, "\(names.count) slots of an optimiser are not what luna writes")
        }
        let updates = isDescribed ? try file.attribute(Self.updatesAttribute, of: group, as: Int64.self) : 0
        guard 0...Int64(Int32.max) ~= updates else {
            throw InputError(file.path, at: "\(group) \(Self.updatesAttribute)", "\(updates), which no run comes to")
        }
        self.init(
            names: names,
            slots: try names.map { try WeightsFile.readTable(tensors, group: "\(group)/\($0)", from: file) },
            updates: Int(updates))
    }
}
