/// The page in Mustache. It is XML as well, with every element closed, so that tests can check its form.
enum PageTemplate {
    static let text = head + results + details + end

    private static let head = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"/>\
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>{{title}}</title>
        <style>
        {{{style}}}
        </style></head><body>
        <header><h1>{{title}}</h1>
        <p class="soft">Free-response evaluation of lung-nodule candidates in CT, by LUNA16's rules</p></header>

        """

    private static let results = """
        <main>
        {{#results}}
        <p class="cpm">{{cpm}} <small>CPM{{#interval}}, 95 % interval {{interval}}{{/interval}}</small></p>
        <p>{{summary}}</p>
        <ul class="soft">{{#terms}}<li>{{text}}.</li>{{/terms}}</ul>
        {{/results}}
        <nav aria-label="On this page"><a href="#curve">Curve</a>{{#comparison}}<a href="#comparison">Comparison</a>
        {{/comparison}}{{#folds}}<a href="#folds">Folds</a>{{/folds}}\
        {{#sizes}}<a href="#sizes">Nodule size</a>{{/sizes}}
        {{#training}}<a href="#training">Training</a>{{/training}}
        {{#cases}}<a href="#{{id}}">{{title}}</a>{{/cases}}
        {{#configuration}}<a href="#configuration">Configuration</a>{{/configuration}}<a href="#inputs">Made from</a>
        <a href="#terms">Terms</a></nav>
        {{#warnings}}<div class="note" role="note">{{#items}}<p>{{text}}</p>{{/items}}</div>{{/warnings}}
        {{#results}}
        <section><h2 id="curve">Sensitivity against false positives per scan</h2>
        <figure>{{{plot}}}<figcaption>The share of nodules that are found when so many false alarms a scan are accepted;
        higher and further to the left is better. {{axis}}Circles mark the seven rates that CPM averages.
        {{#bootstrap}}The band{{detector}} holds 95 % of {{resamples}} resamples of the scans.{{/bootstrap}}
        </figcaption></figure>
        <div class="columns"><div><h3>At the seven rates</h3><div class="scroll"><table>
        <thead><tr><th scope="col">FP per scan</th><th scope="col">sensitivity</th><th scope="col">95 % interval</th>\
        </tr></thead>
        <tbody>{{#rows}}<tr><th scope="row">{{rate}}</th><td>{{sensitivity}}</td><td>{{interval}}</td></tr>{{/rows}}
        <tr class="sum"><th scope="row">CPM</th><td>{{cpm}}</td><td>{{#interval}}{{interval}}{{/interval}}</td></tr>\
        </tbody>
        </table></div></div><div><h3>Counts</h3><div class="scroll"><table>
        <tbody>{{#counts}}<tr><th scope="row">{{name}}</th><td>{{value}}</td></tr>{{/counts}}</tbody>
        </table></div></div></div></section>
        {{/results}}
        {{#comparison}}
        <section><h2 id="comparison">Comparison of detectors</h2>
        <p>All are evaluated on the same scans. {{#hasBootstrap}}The difference to “{{first}}” has the 95 % interval
        over the same resamples of scans for both: where it does not hold zero, the difference is more than the
        choice of scans explains.{{/hasBootstrap}}</p>
        <div class="scroll"><table>
        <thead><tr><th scope="col">detector</th>{{#rates}}<th scope="col">{{name}}</th>{{/rates}}\
        <th scope="col">CPM</th>
        <th scope="col">95 % interval</th><th scope="col">CPM less that of “{{first}}”</th></tr></thead>
        <tbody>{{#rows}}<tr><th scope="row">{{name}}</th>{{#values}}<td>{{value}}</td>{{/values}}<td>{{cpm}}</td>
        <td>{{interval}}</td><td>{{difference}}</td></tr>{{/rows}}</tbody></table></div></section>
        {{/comparison}}
        {{#folds}}
        <section><h2 id="folds">Folds</h2><p>Each fold is evaluated as if there were no other. {{summary}}</p>
        <div class="scroll"><table>
        <thead><tr><th scope="col">fold</th><th scope="col">scans</th><th scope="col">nodules</th>\
        <th scope="col">found</th>
        {{#rates}}<th scope="col">{{name}}</th>{{/rates}}<th scope="col">CPM</th></tr></thead>
        <tbody>{{#rows}}<tr><th scope="row">{{name}}</th>{{#counts}}<td>{{value}}</td>{{/counts}}
        {{#values}}<td>{{value}}</td>{{/values}}</tr>{{/rows}}</tbody></table></div></section>
        {{/folds}}

        """

    private static let details = """
        {{#sizes}}
        <section><h2 id="sizes">Sensitivity by nodule size</h2>
        <figure>{{{plot}}}<figcaption>Nodules found by candidates of probability {{threshold}} or more, where there
        are {{rate}} false positives per scan: {{hits}} of {{nodules}}. The number at a bar's foot is that of its
        nodules; the lines are Wilson's 95 % intervals.</figcaption></figure>
        <div class="scroll"><table>
        <thead><tr><th scope="col">diameter, mm</th><th scope="col">found</th><th scope="col">nodules</th>
        <th scope="col">sensitivity</th><th scope="col">95 % interval</th></tr></thead>
        <tbody>{{#rows}}<tr><th scope="row">{{name}}</th><td>{{hits}}</td><td>{{nodules}}</td><td>{{share}}</td>
        <td>{{interval}}</td></tr>{{/rows}}</tbody></table></div></section>
        {{/sizes}}
        {{#training}}
        <section><h2 id="training">Training</h2><p>{{facts}}</p>
        <div class="plots">{{#figures}}<figure>{{{plot}}}<figcaption>{{caption}}</figcaption></figure>{{/figures}}\
        </div></section>
        {{/training}}
        {{#cases}}
        <section><h2 id="{{id}}">{{title}} ({{number}})</h2><p>{{explanation}} {{more}}</p>
        {{#strips}}<div class="strips">{{#items}}<figure>
        {{#picture}}<img src="{{{picture}}}" alt="{{alternative}}" width="584" height="192"/>{{/picture}}
        <figcaption><b>{{place}}. {{size}}{{#probability}}, p {{probability}}{{/probability}}</b>
        {{#note}}· {{note}}{{/note}}<br/>x {{x}}, y {{y}}, z {{z}} mm<br/><span class="id">{{series}}</span>\
        {{^picture}}<br/>
        No picture: the scan or nodule is not in the data set.{{/picture}}</figcaption></figure>{{/items}}</div>\
        {{/strips}}
        {{#table}}<div class="scroll"><table>
        <thead><tr><th scope="col"></th><th scope="col">x mm</th><th scope="col">y mm</th><th scope="col">z mm</th>
        <th scope="col">diameter</th><th scope="col">probability</th><th scope="col" class="left">scan, remark</th>\
        </tr></thead>
        <tbody>{{#items}}<tr><th scope="row">{{place}}</th><td>{{x}}</td><td>{{y}}</td><td>{{z}}</td>\
        <td>{{sizeOrDash}}</td>
        <td>{{probabilityOrDash}}</td><td class="left wrap"><span class="id">{{series}}</span>\
        {{#note}}<br/>{{note}}{{/note}}</td>
        </tr>{{/items}}</tbody></table></div>{{/table}}
        </section>
        {{/cases}}

        """

    private static let end = """
        {{#configuration}}
        <section><h2 id="configuration">Configuration of the run</h2><pre>{{text}}</pre></section>
        {{/configuration}}
        <section><h2 id="inputs">Made from</h2>{{#inputs}}<div class="scroll"><table>
        <thead><tr><th scope="col">input</th><th scope="col" class="left">file or value</th><th scope="col">bytes</th>
        <th scope="col">CRC-32</th></tr></thead>
        <tbody>{{#rows}}<tr><th scope="row">{{role}}</th><td class="left wrap">{{value}}</td><td>{{bytes}}</td>
        <td>{{crc32}}</td></tr>{{/rows}}</tbody></table></div>{{/inputs}}</section>
        <section><h2 id="terms">Terms</h2><dl>
        <dt>Candidate</dt><dd>A place where the detector claims a nodule, with a probability. It hits a nodule whose
        middle is closer than the nodule's radius.</dd>
        <dt>False positive</dt><dd>A candidate on no nodule. Candidates on excluded findings, and further ones on a
        nodule, count neither way.</dd>
        <dt>FROC</dt><dd>Free-response receiver operating characteristic: sensitivity against false positives per
        scan as the threshold on the probability falls.</dd>
        <dt>CPM</dt><dd>Competition performance metric: the mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false
        positives per scan.</dd>
        <dt>95 % interval</dt><dd>What the figure would be on other draws of scans: the evaluation is repeated on scans
        drawn with replacement, and the middle 95 % of the results are given.</dd></dl></section>
        </main></body></html>

        """
}
