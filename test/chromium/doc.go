// Package chromium is a headless Chromium for the tests and the pictures of the console. It is installed where it is
// missing and Debian's packages are to be had. What its pages complain of is kept: errors of scripts, what the content
// policy refused, dialogs that a page opened. Package axe looks at a page's accessibility.
package chromium
