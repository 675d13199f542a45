(function () {
  "use strict";
  var form = document.getElementById("filter");
  var told = document.getElementById("told");
  var items = Array.prototype.slice.call(document.querySelectorAll("details.report"));
  if (!form || !told || !items.length) { return; }
  var texts = items.map(function (item) { return item.textContent.toLowerCase(); });
  function apply() {
    var verdict = form.elements.verdict.value;
    var reason = form.elements.reason.value;
    var words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    items.forEach(function (item, at) {
      var fits = (!verdict || item.dataset.verdict === verdict) && (!reason || item.dataset.reason === reason) &&
        words.every(function (word) { return texts[at].indexOf(word) >= 0; });
      item.hidden = !fits;
      if (fits) { shown += 1; }
    });
    told.textContent = shown === items.length ? "All " + shown + " shown" : shown + " of " + items.length + " shown";
  }
  function openAll(open) {
    items.forEach(function (item) { if (!item.hidden) { item.open = open; } });
  }
  form.addEventListener("input", apply);
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  document.getElementById("open").addEventListener("click", function () { openAll(true); });
  document.getElementById("close").addEventListener("click", function () { openAll(false); });
  form.hidden = false;
  apply();
})();
