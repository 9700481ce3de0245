// SPDX-License-Identifier: Apache-2.0
import MUXReport

/// The dashboard's only script: shows trials under the pointer, and keeps pages fresh.
enum LiveScript {
  static let text =
    HoverScript.text + """

      (() => {
        'use strict';
        const live = document.getElementById('live');
        const source = new EventSource(document.body.dataset.events);
        let timer = null, revision = null, again = false, busy = false;
        source.onopen = () => { live.textContent = 'live'; };
        source.onerror = () => { live.textContent = 'the dashboard does not answer; trying again'; };
        source.addEventListener('change', event => {
          const first = revision === null;
          if (event.data === revision) return;
          revision = event.data;
          if (!first) soon();
        });
        function soon() {
          if (busy) { again = true; return; }
          if (timer === null) timer = setTimeout(refresh, 1000);
        }
        async function refresh() {
          timer = null;
          busy = true;
          try {
            const answer = await fetch(location.href.split('#')[0]);
            if (answer.ok) {
              const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
              const open = [...document.querySelectorAll('details')].map(one => one.open);
              for (const name of ['main', 'nav']) {
                document.querySelector(name).replaceWith(page.querySelector(name));
              }
              document.querySelectorAll('details').forEach((one, i) => { one.open = !!open[i]; });
              live.textContent = 'live, ' + new Date().toLocaleTimeString();
            }
          } catch { live.textContent = 'the dashboard does not answer; trying again'; }
          busy = false;
          if (again) { again = false; soon(); }
        }
      })();
      """
}
