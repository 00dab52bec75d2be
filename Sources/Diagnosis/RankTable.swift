import FileIO
import MPI

/// A table of where the ranks are and what they have, for people.
///
/// It has a row for each rank; with many ranks one for each host; with many hosts one for all equal hosts.
public struct RankTable {
    /// The number of rows that people still read.
    public static let limit = 16

    private struct Row {
        var hosts: [String]
        var ranks: [RankFacts]
    }

    private let rows: [Row]

    /// Creates the table of a job.
    ///
    /// - Parameters:
    ///   - survey: The ranks' facts.
    ///   - limit: The number of rows above which ranks, and then hosts, are joined.
    public init(_ survey: Survey, limit: Int = limit) {
        if survey.ranks.count <= limit {
            rows = survey.ranks.map { Row(hosts: [$0.host], ranks: [$0]) }
            return
        }
        let hosts = survey.hosts.map { Row(hosts: [$0.name], ranks: $0.ranks) }
        rows = hosts.count <= limit ? hosts : Self.joined(hosts)
    }

    /// The appearance of a host in the table, apart from its name, its ranks' numbers and what was measured there.
    private struct Shape: Hashable {
        var ranks: Int
        var processors, nodes: NumberSet
        var cores: Int
        var threads: [Int]
    }

    private static func joined(_ hosts: [Row]) -> [Row] {
        var order: [Shape] = []
        var members: [Shape: Row] = [:]
        for host in hosts {
            let shape = Shape(
                ranks: host.ranks.count, processors: union(host.ranks, \.processors), nodes: union(host.ranks, \.nodes),
                cores: union(host.ranks, \.cores).count, threads: Set(host.ranks.map(\.threads)).sorted())
            if let row = members[shape] {
                members[shape] = Row(hosts: row.hosts + host.hosts, ranks: row.ranks + host.ranks)
            } else {
                order.append(shape)
                members[shape] = host
            }
        }
        return order.compactMap { members[$0] }
    }

    private static func union(_ ranks: [RankFacts], _ part: (RankFacts) -> NumberSet) -> NumberSet {
        NumberSet(ranks.flatMap { part($0).numbers })
    }

    private struct Column {
        var title: String
        var alignment = TextTable.Alignment.right
        var text: (Row) -> String?
    }

    private var columns: [Column] {
        // Of what was measured on several ranks the worst.
        [
            Column(title: "rank") { NumberSet($0.ranks.map(\.rank)).summary },
            Column(title: "host", alignment: .left) { row in
                row.hosts.count <= 2
                    ? row.hosts.joined(separator: ", ")
                    : "\(row.hosts.count) hosts (\(row.hosts[0]) … \(row.hosts[row.hosts.count - 1]))"
            },
            Column(title: "processors", alignment: .left) { Self.union($0.ranks, \.processors).summary },
            Column(title: "cores") { "\(Self.union($0.ranks, \.cores).count)" },
            Column(title: "NUMA") { row in
                let nodes = Self.union(row.ranks, \.nodes)
                return nodes.isEmpty ? nil : nodes.summary
            },
            Column(title: "threads") { row in
                let threads = Set(row.ranks.map(\.threads)).sorted().map(String.init).joined(separator: ", ")
                let each = row.ranks.count / row.hosts.count
                return each == 1 ? threads : "\(each) x \(threads)"
            },
            Column(title: "memory") { $0.ranks.compactMap(\.memoryAvailable).min().map(mebibytes) },
            Column(title: "s/step") { $0.ranks.compactMap(\.measures.stepSeconds).max().map { fixed($0, 2) } },
            Column(title: "GFLOP/s") { $0.ranks.compactMap(\.measures.productSpeed).min().map { fixed($0, 0) } },
            Column(title: "read MB/s") {
                $0.ranks.compactMap(\.measures.reading?.speed).min().map { fixed($0 / 1e6, 0) }
            },
            Column(title: "clock ms") { row in
                let offsets = row.ranks.compactMap(\.measures.clock?.seconds)
                return offsets.max { abs($0) < abs($1) }.map { fixed($0 * 1000, 2) }
            },
        ]
    }

    /// The table's lines; columns of which nothing is known are left out.
    public var lines: [String] {
        let texts = columns.map { column in (column, rows.map(column.text)) }.filter { $0.1.contains { $0 != nil } }
        var table = TextTable(texts.map(\.0.title), texts.map(\.0.alignment))
        for row in rows.indices { table.add(texts.map { $0.1[row] ?? "-" }) }
        return table.lines
    }
}
