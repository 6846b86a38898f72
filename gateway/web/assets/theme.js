// Before anything is drawn, so that nobody sees the other colours or the other menu flash.
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
document.documentElement.classList.add("scripted");
