//! Functions as values, and calls.

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::node::{Body, Node};
use crate::types::Type;
use crate::value::Value;

use super::{Evaluation, Outcome};

/// A function: one of FEEL's own, or one that an expression defines, with the values it took from around it.
#[derive(Debug)]
pub struct Function(Kind);

#[derive(Debug)]
enum Kind {
    BuiltIn(&'static Builtin),
    Defined { body: Arc<Body>, captured: Vec<Value> },
}

impl Function {
    pub(crate) fn built_in(function: &'static Builtin) -> Self {
        Self(Kind::BuiltIn(function))
    }

    pub(crate) fn as_built_in(&self) -> Option<&'static Builtin> {
        match self.0 {
            Kind::BuiltIn(function) => Some(function),
            Kind::Defined { .. } => None,
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

impl Evaluation {
    /// The value of a function definition.
    pub(super) fn close(&mut self, body: &Arc<Body>) -> Value {
        let captured = body.captures.iter().map(|(outer, _)| self.slot(*outer).clone()).collect();
        Value::Function(Arc::new(Function(Kind::Defined { body: body.clone(), captured })))
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
        let mut values = Vec::with_capacity(arguments.len());
        for (argument, (name, of)) in arguments.into_iter().zip(&body.parameters) {
            let given = !argument.is_null();
            let value = of.coerce(argument);
            if given && value.is_null() {
                return Ok(self.null(|| format!("the argument '{name}' is of another type")));
            }
            values.push(value);
        }
        self.budget.deeper()?;
        self.budget.memory(body.slots * size_of::<Value>())?;
        let (outer, base) = (self.base, self.stack.len());
        self.base = base;
        self.stack.extend(body.itself.map(|_| function.clone()));
        self.stack.extend(values);
        self.stack.resize(base + body.slots, Value::Null);
        for ((_, slot), value) in body.captures.iter().zip(captured) {
            self.set(*slot, value.clone());
        }
        let value = self.value(&body.code);
        self.stack.truncate(base);
        self.base = outer;
        self.budget.shallower();
        Ok(body.result.coerce(value?))
    }

    pub(super) fn call_named(&mut self, function: &Node, arguments: &[(Arc<str>, Node)]) -> Outcome {
        let function = self.value(function)?;
        let mut given = Vec::with_capacity(arguments.len());
        for (name, node) in arguments {
            given.push((&**name, self.value(node)?));
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
        match (function.run)(self, arguments)? {
            Some(value) => Ok(value),
            None => Ok(self.null(|| {
                let given: Vec<&str> = arguments.iter().map(Value::type_name).collect();
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
