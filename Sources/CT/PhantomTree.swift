import Basics

/// A tree of tubes that fills a lung: arteries or veins down to a diameter of about 1 mm.
///
/// Points are drawn in the lung, and each is joined in turn to the node of the tree that is nearest, where a turn and
/// another lobe make the way longer: branches then fork at sharp angles and fill the lung evenly. A tube is as thick as
/// the ends beyond it need (C. D. Murray, 1926: cubes of radii add up; lungs measure an exponent a little below 3).
struct PhantomTree {
    /// A point of the tree with the tube that leads to it.
    struct Node {
        var point: Point
        /// The node before it; the root's is itself.
        var parent: Int
        /// The direction of the tube at this end.
        var direction: Point
        var lobe: Int
        var children = 0
        /// The number of ends beyond.
        var flow = 0.0
        /// The tube's radius, mm.
        var radius = 0.0
    }

    private(set) var nodes: [Node]

    /// Grows a tree.
    ///
    /// - Parameters:
    ///   - root: The point from which it grows, mm.
    ///   - direction: The direction in which it starts.
    ///   - ends: The points to reach.
    ///   - thinnest: The radius of its last tubes, mm.
    init(
        from root: Point, _ direction: Point, to ends: [Point], thinnest: Double, _ fissures: PhantomFissures,
        generator: inout CounterGenerator
    ) {
        nodes = [Node(point: root, parent: 0, direction: direction, lobe: fissures.lobe(at: root))]
        for end in ends { join(end, lobe: fissures.lobe(at: end), &generator) }
        for index in nodes.indices.reversed() {
            if nodes[index].children == 0 { nodes[index].flow = 1 }
            if index > 0 { nodes[nodes[index].parent].flow += nodes[index].flow }
            nodes[index].radius = thinnest * Elementary.exp(Elementary.log(max(1, nodes[index].flow)) / 2.8)
        }
    }

    private mutating func join(_ end: Point, lobe: Int, _ generator: inout CounterGenerator) {
        var (best, least) = (0, Double.infinity)
        for (index, node) in nodes.enumerated() where node.children < 2 || index == 0 {
            let way = end - node.point
            let length = way.length
            guard length < least else { continue }
            let cosine = way.dot(node.direction) / max(length, 1e-9)
            // The root stands for all lobes.
            let cost = length * (1.5 - 0.5 * cosine) + (node.lobe == lobe || index == 0 ? 0 : 12)
            if cost < least { (best, least) = (index, cost) }
        }
        let start = nodes[best]
        let way = end - start.point
        let length = way.length
        // A curve of second degree that leaves along the parent, more or less.
        let bend = start.direction * (0.35 * length) + generator.direction() * (0.12 * length)
        let steps = max(1, Int(length / 5))
        var parent = best
        nodes[best].children += 1
        for step in 1...steps {
            let t = Double(step) / Double(steps)
            let point = start.point + bend * (2 * t * (1 - t)) + way * (t * t)
            let direction = (bend * (2 - 4 * t) + way * (2 * t)).normalized
            nodes.append(Node(point: point, parent: parent, direction: direction, lobe: lobe, children: 1))
            parent = nodes.count - 1
        }
        nodes[parent].children = 0
    }
}

/// The arteries, veins and airways of the lungs in a phantom's window.
struct PhantomTrees {
    private(set) var arteries: [PhantomTree] = []
    private(set) var veins: [PhantomTree] = []

    /// The volume of lung that one end of a tree serves, mm³.
    private static let territory = 800.0
    private static let endLimit = 3000

    init(_ chest: PhantomChest, _ fissures: PhantomFissures, generator: inout CounterGenerator) {
        let margin = 12.0
        let (low, high) = (chest.window.low - margin, chest.window.high + margin)
        let size = high - low
        let count = min(Self.endLimit, Int(size.x * size.y * size.z / Self.territory))
        let thinnest = generator.uniform(0.36, 0.5)
        for left in [true, false] {
            let hilum = chest.hilum(left: left)
            let outward = Point(left ? 1 : -1, 0, 0)
            for isVein in [false, true] {
                var ends: [Point] = []
                for _ in 0..<count {
                    let point = low + size * Point(generator.uniform(), generator.uniform(), generator.uniform())
                    if (point.x > 0) == left, chest.depth(point) > 3 { ends.append(point) }
                }
                // Beyond the pleura, so that the thick end does not show.
                let root = hilum + Point(left ? -0.13 : 0.13, 0, isVein ? -0.09 : 0) * chest.scale
                let tree = PhantomTree(
                    from: root, outward, to: ends, thinnest: thinnest, fissures, generator: &generator)
                if isVein { veins.append(tree) } else { arteries.append(tree) }
            }
        }
    }

    /// The nodes with tubes of a lung's vessels, but for the roots.
    var tubes: [(start: Point, end: Point, startRadius: Double, endRadius: Double)] {
        var tubes: [(start: Point, end: Point, startRadius: Double, endRadius: Double)] = []
        for tree in arteries + veins {
            for node in tree.nodes.dropFirst() {
                let parent = tree.nodes[node.parent]
                // A branch does not begin as thick as its parent.
                tubes.append((parent.point, node.point, min(parent.radius, node.radius * 1.2), node.radius))
            }
        }
        return tubes
    }

    /// The airways: each beside an artery and about as wide, down to a lumen of 2 mm.
    var airways: [(start: Point, end: Point, radius: Double)] {
        let side = Point(0.3, 0.65, 0.7)
        func place(_ node: PhantomTree.Node) -> Point { node.point + side * (1.9 * node.radius + 0.5) }
        var airways: [(start: Point, end: Point, radius: Double)] = []
        for tree in arteries {
            for node in tree.nodes.dropFirst() where node.radius > 1.25 {
                airways.append((place(tree.nodes[node.parent]), place(node), min(4.5, node.radius * 0.85)))
            }
        }
        return airways
    }
}
