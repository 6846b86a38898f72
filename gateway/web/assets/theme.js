// Before anything is drawn, so that nobody sees the other colours flash.
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
