//! Derives for resource types.
//!
//! `#[derive(Message)]` on a struct and `#[derive(Enum)]` on a field-less enum produce, from one declaration, what
//! would otherwise be written four times: the decoder from a YAML node, the static schema that findings, JSON
//! Schemas and CRDs come from, the documentation that `meshctl explain` prints, and the defaults.
//!
//! The generated code names `::mesh_core::schema` and `::mesh_yaml`, which the using crate depends on.

mod attributes;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, parse_macro_input};

use attributes::{FieldAttributes, MessageAttributes, ValueAttributes, docs};

/// Implements `::mesh_core::schema::Message` for a struct with named fields.
///
/// Attributes: `#[message(one_of("a", "b"), cel(RULE))]` on the struct; on a field
/// `#[field(name = "..", also = "..", required, nullable, deprecated = "..", <constraints>)]`, where constraints
/// are `minimum`, `maximum`, `min_length`, `max_length`, `min_items`, `max_items`, `min_properties`,
/// `max_properties`, `pattern`, `list_map_keys(..)`, `cel(..)`, `except(..)`, and `items(..)`/`values(..)` with
/// constraints of the elements; a pattern may be a constant. The JSON name is the field's name in lowerCamelCase unless `name` is given.
#[proc_macro_derive(Message, attributes(message, field))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    message(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements `::mesh_core::schema::FieldType` for a field-less enum whose `Default` is what an absent value means.
///
/// A variant's value is its name in `SCREAMING_SNAKE_CASE`, or as given by `#[value("IfNotPresent")]`;
/// `#[value(deprecated = "..")]` marks one that still works but should be replaced.
#[proc_macro_derive(Enum, attributes(value))]
pub fn derive_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    enumeration(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn message(input: &DeriveInput) -> syn::Result<Tokens> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(input, "Message is for structs"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(input, "Message needs named fields"));
    };
    let ident = &input.ident;
    let name = ident.to_string();
    let message_docs = docs(&input.attrs);
    let MessageAttributes { one_of, cel } = MessageAttributes::parse(&input.attrs)?;

    let mut schemas = Vec::new();
    let mut arms = Vec::new();
    for field in &fields.named {
        let attributes = FieldAttributes::parse(&field.attrs)?;
        let Some(field_ident) = &field.ident else { continue };
        let ty = &field.ty;
        let json = attributes
            .name
            .clone()
            .unwrap_or_else(|| lower_camel(&field_ident.to_string()));
        let field_docs = docs(&field.attrs);
        let deprecated = option(attributes.deprecated.as_ref());
        let required = attributes.required;
        let also = option(attributes.also.as_ref());
        let constraints = &attributes.constraints;
        schemas.push(quote! {
            ::mesh_core::schema::Field {
                name: #json,
                also: #also,
                docs: #field_docs,
                deprecated: #deprecated,
                required: #required,
                ty: <#ty as ::mesh_core::schema::FieldType>::TYPE,
                constraints: #constraints,
            }
        });
        let names = std::iter::once(&json).chain(attributes.also.as_ref());
        arms.push(quote! {
            #(#names)|* => self.#field_ident = <#ty as ::mesh_core::schema::FieldType>::decode(entry.value),
        });
    }

    Ok(quote! {
        impl ::mesh_core::schema::Message for #ident {
            fn schema() -> &'static ::mesh_core::schema::MessageSchema {
                static SCHEMA: ::mesh_core::schema::MessageSchema = ::mesh_core::schema::MessageSchema {
                    name: #name,
                    docs: #message_docs,
                    fields: &[#(#schemas),*],
                    one_of: &[#(&[#(#one_of),*]),*],
                    cel: &[#(&#cel),*],
                };
                &SCHEMA
            }

            fn merge(&mut self, node: ::mesh_yaml::Node<'_>) {
                for entry in node.entries() {
                    if entry.value.is_null() {
                        continue;
                    }
                    match entry.key {
                        #(#arms)*
                        _ => {}
                    }
                }
            }
        }

        impl ::mesh_core::schema::FieldType for #ident {
            const TYPE: ::mesh_core::schema::Type =
                ::mesh_core::schema::Type::Message(<#ident as ::mesh_core::schema::Message>::schema);

            fn decode(node: ::mesh_yaml::Node<'_>) -> Self {
                let mut message = Self::default();
                ::mesh_core::schema::Message::merge(&mut message, node);
                message
            }
        }
    })
}

fn enumeration(input: &DeriveInput) -> syn::Result<Tokens> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(input, "Enum is for enums"));
    };
    let ident = &input.ident;
    let name = ident.to_string();
    let enum_docs = docs(&input.attrs);
    let mut values = Vec::new();
    let mut parse_arms = Vec::new();
    let mut print_arms = Vec::new();
    for variant in &data.variants {
        let attributes = ValueAttributes::parse(&variant.attrs)?;
        let variant_ident = &variant.ident;
        let value = attributes
            .value
            .unwrap_or_else(|| screaming_snake(&variant_ident.to_string()));
        let value_docs = docs(&variant.attrs);
        let deprecated = option(attributes.deprecated.as_ref());
        values.push(quote! {
            ::mesh_core::schema::EnumValue { name: #value, docs: #value_docs, deprecated: #deprecated }
        });
        parse_arms.push(quote! { #value => Some(Self::#variant_ident), });
        print_arms.push(quote! { Self::#variant_ident => #value, });
    }
    let static_ident = format_ident!("{}_SCHEMA", screaming_snake(&name));
    Ok(quote! {
        static #static_ident: ::mesh_core::schema::EnumSchema = ::mesh_core::schema::EnumSchema {
            name: #name,
            docs: #enum_docs,
            values: &[#(#values),*],
        };

        impl #ident {
            /// The value as it is written in YAML.
            pub const fn as_str(self) -> &'static str {
                match self { #(#print_arms)* }
            }

            /// The variant that `value` names, if there is one.
            pub fn from_name(value: &str) -> Option<Self> {
                match value { #(#parse_arms)* _ => None }
            }
        }

        impl ::std::fmt::Display for #ident {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl ::mesh_core::schema::FieldType for #ident {
            const TYPE: ::mesh_core::schema::Type = ::mesh_core::schema::Type::Enum(&#static_ident);

            fn decode(node: ::mesh_yaml::Node<'_>) -> Self {
                node.as_str().and_then(Self::from_name).unwrap_or_default()
            }
        }
    })
}

/// `Some("text")` or `None` as tokens.
fn option(value: Option<&String>) -> Tokens {
    if let Some(value) = value {
        quote!(Some(#value))
    } else {
        quote!(None)
    }
}

fn lower_camel(snake: &str) -> String {
    let mut result = String::with_capacity(snake.len());
    let mut upper = false;
    for character in snake.trim_start_matches("r#").chars() {
        if character == '_' {
            upper = true;
        } else if upper {
            result.extend(character.to_uppercase());
            upper = false;
        } else {
            result.push(character);
        }
    }
    result
}

fn screaming_snake(camel: &str) -> String {
    let mut result = String::with_capacity(camel.len() + 4);
    for (index, character) in camel.chars().enumerate() {
        if index > 0 && character.is_uppercase() {
            result.push('_');
        }
        result.extend(character.to_uppercase());
    }
    result
}
