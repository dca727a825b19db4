() => {
  // Lowest contrast (WCAG 2) of each kind of text with what is behind it; letters of figures are shapes with a fill.
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
    return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const found = [];
  const add = (what, color, element) => found.push([what, ratio(over(parse(color), behind(element)), behind(element))]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    add(`${element.tagName} ${walker.currentNode.data.trim().slice(0, 40)}`, getComputedStyle(element).color, element);
  }
  for (const button of document.querySelectorAll("th button"))
    add("arrow", getComputedStyle(button, "::after").color, button);
  for (const letter of document.querySelectorAll("figure svg g[id*='text_']:not([id^='heatmap']) use"))
    add(`figure ${letter.closest("svg").getAttribute("aria-label").slice(0, 30)}`, getComputedStyle(letter).fill, letter.closest("figure"));
  return found;
}
