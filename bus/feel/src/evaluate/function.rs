//! Functions as values, and calls.

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::node::{Body, Node};
use crate::types::Type;
use crate::value::{Context, Value};

use super::{Evaluation, Frame, Outcome};

/// A function: one of FEEL's own, or one that an expression defines, with the values it took from around it.
#[derive(Debug)]
pub struct Function(Kind);

#[derive(Debug)]
enum Kind {
    BuiltIn(&'static Builtin),
    Defined { body: Arc<Body>, captured: Vec<Value> },
}

impl Function {
    fn take(&mut self) -> Vec<Value> {
        match &mut self.0 {
            Kind::BuiltIn(_) => Vec::new(),
            Kind::Defined { captured, .. } => std::mem::take(captured),
        }
    }

    pub(crate) fn built_in(function: &'static Builtin) -> Self {
        Self(Kind::BuiltIn(function))
    }

    pub(crate) fn as_built_in(&self) -> Option<&'static Builtin> {
        match self.0 {
            Kind::BuiltIn(function) => Some(function),
            Kind::Defined { .. } => None,
        }
    }

    /// The parameters of a function that is not built in.
    pub(crate) fn parameters(&self) -> &[(Arc<str>, Type)] {
        match &self.0 {
            Kind::BuiltIn(_) => &[],
            Kind::Defined { body, .. } => &body.parameters,
        }
    }

    /// Whether the function takes such parameters and gives such a result.
    pub(crate) fn conforms(&self, parameters: &[Type], result: &Type) -> bool {
        match &self.0 {
            Kind::BuiltIn(_) => false,
            Kind::Defined { body, .. } => {
                body.parameters.len() == parameters.len()
                    && body.result.conforms_to(result)
                    && parameters.iter().zip(&body.parameters).all(|(wanted, (_, own))| wanted.conforms_to(own))
            }
        }
    }
}

impl Drop for Function {
    /// A function may hold a function that holds a function…: those are let go one after the other, not one within the other.
    /// (Lists and contexts hold one another only [so deep](super::NESTED).)
    fn drop(&mut self) {
        let mut held = self.take();
        while let Some(value) = held.pop() {
            match value {
                Value::Function(function) => {
                    held.extend(Arc::into_inner(function).map(|mut last| last.take()).unwrap_or_default())
                }
                Value::List(items) => held.extend(Arc::into_inner(items).unwrap_or_default()),
                Value::Context(context) => held.extend(Arc::into_inner(context).into_iter().flat_map(Context::into_values)),
                _ => {}
            }
        }
    }
}

impl Evaluation {
    /// The value of a function definition.
    pub(super) fn close(&mut self, body: &Arc<Body>, frame: Frame<'_>) -> Outcome {
        self.budget.parts(body.captures.len())?;
        let captured = body.captures.iter().map(|(outer, _)| self.slot(frame, *outer).clone()).collect();
        Ok(Value::Function(Arc::new(Function(Kind::Defined { body: body.clone(), captured }))))
    }

    /// Calls a function with arguments by position.
    pub(crate) fn call(&mut self, function: &Value, arguments: Vec<Value>) -> Outcome {
        let Value::Function(called) = function else {
            return Ok(self.null(|| format!("{} cannot be called", function.type_name())));
        };
        match &called.0 {
            Kind::BuiltIn(function) => self.call_built_in(function, &arguments),
            Kind::Defined { body, captured } => self.call_defined(function, body, captured, arguments),
        }
    }

    fn call_defined(&mut self, function: &Value, body: &Body, captured: &[Value], arguments: Vec<Value>) -> Outcome {
        if arguments.len() != body.parameters.len() {
            let (wanted, given) = (body.parameters.len(), arguments.len());
            return Ok(self.null(|| format!("the function takes {wanted} arguments, not {given}")));
        }
        // The function itself, where it may call itself, and then its arguments.
        let mut given = Vec::with_capacity(arguments.len() + 1);
        given.extend(body.itself.map(|_| function.clone()));
        for (argument, (name, of)) in arguments.into_iter().zip(&body.parameters) {
            let missing = argument.is_null();
            let value = of.coerce_within(argument, self)?;
            if !missing && value.is_null() {
                return Ok(self.null(|| format!("the argument '{name}' is of another type")));
            }
            given.push(value);
        }
        self.budget.memory(body.slots * size_of::<Value>())?;
        let base = self.stack.len();
        let frame = Frame { given: &given, base };
        for ((_, slot), value) in body.captures.iter().zip(captured) {
            self.set(frame, *slot, value.clone());
        }
        let value = self.value(&body.code, frame)?;
        self.stack.truncate(base);
        body.result.coerce_within(value, self)
    }

    pub(super) fn builtin(&mut self, function: &'static Builtin, arguments: &[Node], frame: Frame<'_>) -> Outcome {
        // Nearly all take one to three arguments: these need no room of their own.
        let value = match arguments {
            [a] => {
                let arguments = [self.value(a, frame)?];
                self.call_built_in(function, &arguments)?
            }
            [a, b] => {
                let arguments = [self.value(a, frame)?, self.value(b, frame)?];
                self.call_built_in(function, &arguments)?
            }
            [a, b, c] => {
                let arguments = [self.value(a, frame)?, self.value(b, frame)?, self.value(c, frame)?];
                self.call_built_in(function, &arguments)?
            }
            more => {
                let arguments = self.values(more, frame)?;
                self.call_built_in(function, &arguments)?
            }
        };
        self.made(value)
    }

    pub(super) fn application(&mut self, function: &Node, arguments: &[Node], frame: Frame<'_>) -> Outcome {
        let function = self.value(function, frame)?;
        let arguments = self.values(arguments, frame)?;
        self.call(&function, arguments)
    }

    pub(super) fn call_named(&mut self, function: &Node, arguments: &[(Arc<str>, Node)], frame: Frame<'_>) -> Outcome {
        let function = self.value(function, frame)?;
        let mut given = Vec::with_capacity(arguments.len());
        for (name, node) in arguments {
            given.push((&**name, self.value(node, frame)?));
        }
        let Value::Function(called) = &function else {
            return Ok(self.null(|| format!("{} cannot be called", function.type_name())));
        };
        match &called.0 {
            Kind::BuiltIn(known) => match known.placed(&given) {
                Some(arguments) => self.call_built_in(known, &arguments),
                None => Ok(self.null(|| format!("{}() has no such parameters", known.name))),
            },
            Kind::Defined { body, .. } => {
                let names: Vec<&str> = body.parameters.iter().map(|(name, _)| &**name).collect();
                match place(&names, &given) {
                    Some(mut arguments) => {
                        arguments.resize(names.len(), Value::Null);
                        self.call(&function, arguments)
                    }
                    None => Ok(self.null(|| "the function has no such parameters".to_owned())),
                }
            }
        }
    }

    pub(crate) fn call_built_in(&mut self, function: &'static Builtin, arguments: &[Value]) -> Outcome {
        self.budget.step()?;
        for argument in arguments {
            if let Value::Text(_) = argument {
                self.budget.weigh(argument)?;
            }
        }
        match (function.run)(self, arguments)? {
            Some(value) => Ok(value),
            None => Ok(self.null(|| {
                let given: Vec<&str> = arguments.iter().take(8).map(Value::type_name).collect();
                format!("{}({}) has no result", function.name, given.join(", "))
            })),
        }
    }
}

/// Arguments in the order of the parameters, as far as the last that is given.
pub(crate) fn place(names: &[&str], given: &[(&str, Value)]) -> Option<Vec<Value>> {
    let mut placed: Vec<Value> = Vec::new();
    for (index, (name, value)) in given.iter().enumerate() {
        if given[..index].iter().any(|(other, _)| other == name) {
            return None;
        }
        let at = names.iter().position(|parameter| parameter == name)?;
        if placed.len() <= at {
            placed.resize(at + 1, Value::Null);
        }
        placed[at] = value.clone();
    }
    Some(placed)
}
