// SPDX-License-Identifier: Apache-2.0
import MUXReport

/// The dashboard's only script: shows trials under the pointer, and keeps pages fresh.
enum LiveScript {
  static let text =
    HoverScript.text + """

      (() => {
        'use strict';
        const live = document.getElementById('live');
        let timer = null, revision = null, again = false, busy = false;
        function listen() {
          const source = new EventSource(document.body.dataset.events);
          source.onopen = () => { live.textContent = 'live'; };
          source.onerror = () => {
            live.textContent = 'the dashboard does not answer; trying again';
            // A browser gives up for good after an answer that is no stream.
            if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
          };
          source.addEventListener('change', event => {
            const first = revision === null;
            if (event.data === revision) return;
            revision = event.data;
            if (!first) soon();
          });
        }
        listen();
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
              const chosen = [...document.querySelectorAll('main input:checked')].map(one => one.value);
              // Nobody's words are taken away while they are written.
              if (document.activeElement && document.activeElement.matches('main input, main select')) {
                busy = false;
                soon();
                return;
              }
              for (const name of ['main', 'nav']) {
                document.querySelector(name).replaceWith(page.querySelector(name));
              }
              document.querySelectorAll('details').forEach((one, i) => { one.open = !!open[i]; });
              for (const one of document.querySelectorAll('main input[type=checkbox]')) {
                one.checked = chosen.includes(one.value);
              }
              live.textContent = 'live, ' + new Date().toLocaleTimeString();
            }
          } catch { live.textContent = 'the dashboard does not answer; trying again'; }
          busy = false;
          if (again) { again = false; soon(); }
        }
      })();
      """
}
