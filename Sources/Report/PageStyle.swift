/// The page's style sheet: light, dark and print, from a phone's width to A4.
enum PageStyle {
    static let text = """
        \(PlotStyle.colors)
        * { box-sizing: border-box }
        html { -webkit-text-size-adjust: 100% }
        body { margin: 0 auto; max-width: 64rem; padding: 1.75rem 1.25rem 4rem; background: var(--back);
          color: var(--text); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        h1 { font-size: 1.3rem; font-weight: 600; margin: 0; overflow-wrap: anywhere }
        h2 { font-size: 1.2rem; font-weight: 600; margin: 2.75rem 0 .4rem; padding-top: .9rem;
          border-top: 1px solid var(--line) }
        h3 { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .3rem }
        p { margin: .4rem 0; max-width: 46rem } a { color: var(--c0) }
        .soft { color: var(--soft) } .cpm { font-size: 3.4rem; font-weight: 650; line-height: 1.1; margin: .7rem 0 0;
          font-variant-numeric: tabular-nums }
        .cpm small { font-size: 1rem; font-weight: 400; line-height: 1.5; color: var(--soft); display: inline-block }
        nav { margin: 1.1rem 0 0; font-size: .92rem; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem }
        .note { background: var(--note); padding: .6rem 1rem; border-radius: .4rem; margin-top: 1.1rem;
          overflow-wrap: anywhere }
        figure { margin: 1rem 0 }
        figcaption { color: var(--soft); font-size: .9rem; line-height: 1.45; max-width: 46rem }
        svg { width: 100%; height: auto; display: block }
        \(PlotStyle.classes)
        .columns { display: flex; flex-wrap: wrap; gap: 0 3.5rem } .columns > div { min-width: 0; max-width: 100% }
        .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 0 1.5rem }
        .scroll { overflow-x: auto; max-width: 100% }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .94rem; margin: .3rem 0 }
        caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .3rem }
        th, td { padding: .28rem 1.1rem .28rem 0; text-align: right; border-bottom: 1px solid var(--line);
          white-space: nowrap; vertical-align: baseline }
        thead th { color: var(--soft); font-weight: 500 } tbody th { font-weight: 400 }
        th:first-child, td:first-child, .left { text-align: left } th:last-child, td:last-child { padding-right: 0 }
        .sum th, .sum td { font-weight: 600 }
        .wrap { white-space: normal; overflow-wrap: anywhere; min-width: 18rem }
        .strips { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 29rem), 1fr));
          gap: 1.1rem 1.5rem; margin: 1rem 0 }
        .strips figure { margin: 0; background: var(--panel); border-radius: .4rem; padding: .6rem }
        .strips img { width: 100%; height: auto; display: block; border-radius: .2rem; margin-bottom: .45rem }
        .strips figcaption b { color: var(--text); font-weight: 600 } .id { font-size: .8rem; overflow-wrap: anywhere }
        pre { background: var(--panel); border-radius: .4rem; padding: .8rem 1rem; overflow-x: auto; font-size: .85rem;
          line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere }
        dl { max-width: 46rem } dt { font-weight: 600 } dd { margin: 0 0 .5rem; color: var(--soft) }
        @media (max-width: 32rem) { svg text { font-size: 14px } body { padding: 1.2rem .9rem 3rem }
          .cpm { font-size: 2.8rem } .cpm small { display: block } th, td { padding-right: .8rem } }
        @page { size: A4; margin: 16mm 14mm }
        @media print { :root { color-scheme: light; --text: #000; --soft: #444; --line: #ccc; --back: #fff;
          --panel: #fff; --note: #f4f4f4; --bar: #a9c9e3; --c0: #0b62a8; --c1: #b3470b; --c2: #0a7a5a; --c3: #8a3b8f;
          --c4: #7a6400; --c5: #555f69; }
          body { max-width: none; padding: 0; font-size: 10.5pt } nav { display: none }
          svg { width: 15cm; max-width: 100% !important } .plots svg { width: 100% }
          figure, tr, .columns > div { break-inside: avoid } h2, h3, section > p { break-after: avoid }
          .scroll { overflow: visible }
          .strips { grid-template-columns: 1fr 1fr } .plots { grid-template-columns: 1fr 1fr } table { font-size: 9pt }
          th, td { padding-right: .6rem } .note, pre { border: 1px solid var(--line) } }
        """
}
