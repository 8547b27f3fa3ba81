// Package weave executes templates of pages: those of html/template, parsed by text/template/parse, without calls
// of methods by name. A program that can call any method by a name it reads at run time keeps every exported method of
// every type that it uses, and so html/template alone made the binary larger by half.
//
//	where       an action stands in text or within a quoted attribute, and nowhere else: not in a script, a style, an
//	            attribute of events, a name. New refuses a template that has one elsewhere.
//	escaped     & < > " ' and + are, so what stands in either place stays there.
//	addresses   of href, src, action and of a refresh must lead within this host: what does not is left out.
//	values      fields, keys of maps, functions, and what a value offers by Attribute. An error ends the page.
//
// Tests hold it to html/template, for what is printed and for where actions may stand.
package weave
