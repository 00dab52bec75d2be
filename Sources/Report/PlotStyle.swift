/// The look of plots, in a page or as files of their own, in light and dark.
enum PlotStyle {
    static let colors = """
        :root { color-scheme: light dark; --text: #1b2026; --soft: #566270; --line: #dde2e7; --back: #ffffff;
          --panel: #f5f7f9; --note: #fff5d9; --bar: #8fbbdd; --c0: #0b62a8; --c1: #b3470b; --c2: #0a7a5a; --c3: #8a3b8f;
          --c4: #7a6400; --c5: #555f69; }
        @media (prefers-color-scheme: dark) { :root { --text: #e6eaee; --soft: #9daab7; --line: #333c46;
          --back: #14181d; --panel: #1b2129; --note: #3a3114; --bar: #2f628c; --c0: #6bb4f2; --c1: #f0965a;
          --c2: #4fc9a1; --c3: #d495da; --c4: #d8c04a; --c5: #aab4be; } }
        """

    static let classes = """
        svg text { font: 11.5px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
        .label { fill: var(--soft) } .name { fill: var(--text) } .grid { stroke: var(--line); stroke-width: 1 }
        .curve { fill: none; stroke-width: 2.2; stroke-linejoin: round } .leader { stroke-width: 1 }
        .band { fill: var(--c0); opacity: .17 }
        .c0 { stroke: var(--c0) } .c1 { stroke: var(--c1) } .c2 { stroke: var(--c2) } .c3 { stroke: var(--c3) }
        .c4 { stroke: var(--c4) } .c5 { stroke: var(--c5) }
        .dot { fill: var(--back); stroke-width: 1.8 } .bar { fill: var(--bar) }
        .whisker { stroke: var(--text); stroke-width: 1.3 }
        svg text.count { fill: var(--text); stroke: var(--back); stroke-width: 3; paint-order: stroke }
        """
}
