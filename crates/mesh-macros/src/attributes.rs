//! The attributes that the derives read, parsed into plain values.

use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, parenthesized};

/// The text of the doc comment, with the one leading space of each line removed.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(line), ..
            }) = &pair.value
        {
            let line = line.value();
            text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[derive(Default)]
pub(crate) struct MessageAttributes {
    pub(crate) one_of: Vec<Vec<String>>,
    pub(crate) cel: Vec<Path>,
}

impl MessageAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut result = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("message"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("one_of") {
                    result.one_of.push(strings(&meta)?);
                } else if meta.path.is_ident("cel") {
                    result.cel.extend(paths(&meta)?);
                } else {
                    return Err(meta.error("unknown message attribute"));
                }
                Ok(())
            })?;
        }
        Ok(result)
    }
}

#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) name: Option<String>,
    pub(crate) also: Option<String>,
    pub(crate) deprecated: Option<String>,
    pub(crate) required: bool,
    pub(crate) constraints: Constraints,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut result = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("field"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    result.name = Some(string(&meta)?);
                } else if meta.path.is_ident("also") {
                    result.also = Some(string(&meta)?);
                } else if meta.path.is_ident("deprecated") {
                    result.deprecated = Some(string(&meta)?);
                } else if meta.path.is_ident("required") {
                    result.required = true;
                } else {
                    return result.constraints.parse(&meta);
                }
                Ok(())
            })?;
        }
        Ok(result)
    }
}

#[derive(Default)]
pub(crate) struct ValueAttributes {
    pub(crate) value: Option<String>,
    pub(crate) deprecated: Option<String>,
}

impl ValueAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut result = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("value"))
        {
            attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
                while !input.is_empty() {
                    if input.peek(LitStr) {
                        result.value = Some(input.parse::<LitStr>()?.value());
                    } else {
                        let key: syn::Ident = input.parse()?;
                        if key != "deprecated" {
                            return Err(syn::Error::new(key.span(), "unknown value attribute"));
                        }
                        input.parse::<Token![=]>()?;
                        result.deprecated = Some(input.parse::<LitStr>()?.value());
                    }
                    if !input.is_empty() {
                        input.parse::<Token![,]>()?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(result)
    }
}

/// Constraints as the tokens of a `::mesh_core::schema::Constraints` value.
#[derive(Default)]
pub(crate) struct Constraints {
    settings: Vec<Tokens>,
}

impl Constraints {
    fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        const NUMBERS: [&str; 8] = [
            "minimum",
            "maximum",
            "min_length",
            "max_length",
            "min_items",
            "max_items",
            "min_properties",
            "max_properties",
        ];
        let Some(key) = meta.path.get_ident() else {
            return Err(meta.error("unknown field attribute"));
        };
        let name = key.to_string();
        let setting = match name.as_str() {
            "nullable" => quote!(nullable: true),
            "pattern" => {
                let pattern = meta.value()?.parse::<Expr>()?;
                quote!(pattern: Some(#pattern))
            }
            "list_map_keys" => {
                let keys = strings(meta)?;
                quote!(list_map_keys: &[#(#keys),*])
            }
            "cel" | "except" => {
                let rules = paths(meta)?;
                quote!(#key: &[#(&#rules),*])
            }
            "items" | "values" => {
                let mut inner = Self::default();
                meta.parse_nested_meta(|meta| inner.parse(&meta))?;
                quote!(elements: Some(&#inner))
            }
            name if NUMBERS.contains(&name) => {
                let number: syn::LitInt = meta.value()?.parse()?;
                quote!(#key: Some(#number))
            }
            _ => return Err(meta.error("unknown field attribute")),
        };
        self.settings.push(setting);
        Ok(())
    }
}

impl quote::ToTokens for Constraints {
    fn to_tokens(&self, tokens: &mut Tokens) {
        let settings = &self.settings;
        tokens.extend(if settings.is_empty() {
            quote!(::mesh_core::schema::Constraints::NONE)
        } else {
            quote!(::mesh_core::schema::Constraints { #(#settings,)* ..::mesh_core::schema::Constraints::NONE })
        });
    }
}

fn string(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

fn strings(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<String>> {
    let content;
    parenthesized!(content in meta.input);
    let list = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    Ok(list.iter().map(LitStr::value).collect())
}

fn paths(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Path>> {
    let content;
    parenthesized!(content in meta.input);
    let list = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
    Ok(list.into_iter().collect())
}
