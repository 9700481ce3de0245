// SPDX-License-Identifier: Apache-2.0

/// Shows the trial under the pointer. Without scripts, single points still show their text as the
/// browser's own hint.
package enum HoverScript {
  /// The script. Points say which trial they are (`data-id`, `data-ids`); its text is in the
  /// element `trials` of the page (JSON), or below the address in the body's `data-texts`, or in the
  /// point's own title. A click goes to the table's row of the trial, or below `data-links`.
  package static let text = """
    (() => {
      'use strict';
      const tip = document.createElement('div');
      tip.id = 'tip';
      tip.hidden = true;
      document.body.append(tip);
      const element = document.getElementById('trials');
      const texts = new Map(element ? Object.entries(JSON.parse(element.textContent)) : []);
      const {texts: source, links} = document.body.dataset;
      const clouds = new WeakMap();
      let shown = null;
      function adopt(title) {
        const mark = title.parentNode;
        if (!mark.dataset.id) return;
        mark.setAttribute('aria-label', title.textContent);
        title.remove();
      }
      function cloud(path) {
        if (!clouds.has(path)) {
          const ids = path.dataset.ids.split(' ');
          const places = [...path.getAttribute('d').matchAll(/M(-?[\\d.]+) (-?[\\d.]+)h0/g)];
          clouds.set(path, places.map((place, i) => ({x: +place[1], y: +place[2], id: ids[i]})));
        }
        return clouds.get(path);
      }
      function find(event) {
        const svg = event.target.closest && event.target.closest('.chart svg');
        if (!svg) return null;
        svg.querySelectorAll('[data-id] > title').forEach(adopt);
        const mark = event.target.closest('[data-id]');
        if (mark) return {id: mark.dataset.id, text: mark.getAttribute('aria-label')};
        let best = null, least = 7 * 7;
        for (const path of svg.querySelectorAll('path[data-ids]')) {
          const matrix = path.getScreenCTM();
          if (!matrix) continue;
          const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
          for (const point of cloud(path)) {
            const distance = (point.x - at.x) ** 2 + (point.y - at.y) ** 2;
            if (distance < least) { least = distance; best = {id: point.id}; }
          }
        }
        return best;
      }
      async function describe(found) {
        if (!texts.has(found.id) && source) {
          texts.set(found.id, found.text || 'trial ' + found.id);
          try {
            const answer = await fetch(source + found.id);
            if (answer.ok) texts.set(found.id, await answer.text());
          } catch { texts.delete(found.id); }
        }
        return texts.get(found.id) || found.text || 'trial ' + found.id;
      }
      document.addEventListener('mousemove', async event => {
        const found = find(event);
        shown = found && found.id;
        if (!found) { tip.hidden = true; return; }
        const text = await describe(found);
        if (shown !== found.id) return;
        tip.textContent = text;
        tip.hidden = false;
        const {width, height} = tip.getBoundingClientRect();
        tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + 'px';
        const below = event.clientY + 16 + height < innerHeight;
        tip.style.top = Math.max(4, below ? event.clientY + 16 : event.clientY - height - 12) + 'px';
      });
      document.addEventListener('click', event => {
        const found = find(event);
        if (!found) return;
        if (links) location.href = links + found.id;
        else if (document.getElementById('trial-' + found.id)) location.hash = 'trial-' + found.id;
      });
    })();
    """
}
