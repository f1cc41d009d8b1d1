//! Decision services, lowered to functions: their inputs are its parameters, the decisions within are evaluated at each call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::node::{Body, Node};
use crate::types::Type;
use crate::value::Value;

use super::boxed::Lowering;
use super::definitions::Sort;
use super::load::{Graph, result_type};
use super::trace::{Element, Named};
use super::xml::{ReadError, children};

/// Decisions that services hold, one that is held by several counted for each: they are compiled for each.
pub(super) const HELD: usize = 20_000;

impl<'x> Lowering<'_, 'x> {
    /// The function of a service; the names that its decisions know from outside are bound in the frame around it.
    pub(super) fn service(&mut self, part: usize, graph: &Graph, held: &mut usize) -> Result<Node, ReadError> {
        let (xml, home) = (self.library.parts[part].xml, self.library.parts[part].home);
        let referred = |name: &'static str| -> Result<Vec<usize>, ReadError> {
            children(xml, name).map(|reference| self.library.referred(home, reference)).collect()
        };
        // Input decisions come before input data, where a call gives its arguments by position.
        let mut inputs = referred("inputDecision")?;
        inputs.extend(referred("inputData")?);
        let outputs = referred("outputDecision")?;
        let within = order(&outputs, &inputs, graph);
        *held += within.len();
        if *held > HELD {
            return Err(ReadError::at(xml, format!("the services of the model hold more than {HELD} decisions")));
        }
        self.knowledge_around(&within, graph);
        let mut parameters = Vec::new();
        for input in &inputs {
            parameters.push((self.library.called(home, *input), self.type_of(*input)?));
        }
        self.around.enter();
        let mut slots: HashMap<usize, usize> = HashMap::new();
        for input in &inputs {
            slots.insert(*input, self.around.frame().slot());
        }
        let code = self.within(&within, &mut slots, graph).map(|entries| self.results(entries, &outputs, &slots));
        let (captures, count) = self.around.leave();
        let of = result_type(self.types(), xml)?;
        let names: Vec<Arc<str>> = parameters.iter().map(|(name, _)| name.clone()).collect();
        let (id, name, node) = (self.library.parts[part].id.clone(), self.library.parts[part].name.clone(), code?);
        let code = Node::Named(Box::new(Named { element: Element::Service, name, id, of, node, parameters: names }));
        Ok(Node::Function(Arc::new(Body { parameters, captures, itself: None, slots: count, code, result: Type::Any })))
    }

    /// Binds the knowledge models and services that decisions call, in the frame around a service.
    fn knowledge_around(&mut self, within: &[usize], graph: &Graph) {
        for decision in within {
            let home = self.library.parts[*decision].home;
            for need in &graph.needs[*decision] {
                if matches!(self.library.parts[*need].sort, Sort::Knowledge | Sort::Service) {
                    let name = self.library.called(home, *need);
                    self.around.frame().bind_to(&name, *need);
                }
            }
        }
    }

    /// The decisions as entries of a context, one after the other.
    fn within(
        &mut self,
        within: &[usize],
        slots: &mut HashMap<usize, usize>,
        graph: &Graph,
    ) -> Result<Vec<(Arc<str>, usize, Node)>, ReadError> {
        let mut entries = Vec::new();
        for decision in within {
            let slot = self.around.frame().slot();
            let home = self.library.parts[*decision].home;
            let mark = self.around.frame().mark();
            for need in &graph.needs[*decision] {
                if let Some(slot) = slots.get(need) {
                    let name = self.library.called(home, *need);
                    self.around.frame().bind_to(&name, *slot);
                }
            }
            let node = self.decision(*decision)?;
            self.around.frame().back_to(mark);
            slots.insert(*decision, slot);
            // Two models may have decisions of one name: the entry is told by its number.
            entries.push((Arc::from(decision.to_string()), slot, node));
        }
        Ok(entries)
    }

    /// The service's result: its only output, or a context of all. The decisions before it stand in their slots by then.
    fn results(&mut self, mut entries: Vec<(Arc<str>, usize, Node)>, outputs: &[usize], slots: &HashMap<usize, usize>) -> Node {
        let of = |output: &usize| slots.get(output).map_or(Node::Constant(Value::Null), |slot| Node::Slot(*slot));
        let result = match outputs {
            [single] => of(single),
            several => {
                let mut context: Vec<(Arc<str>, usize, Node)> = Vec::new();
                for output in several {
                    let name = self.library.parts[*output].name.clone();
                    if !context.iter().any(|(other, ..)| *other == name) {
                        context.push((name, self.around.frame().slot(), of(output)));
                    }
                }
                Node::Context(context)
            }
        };
        entries.push((Arc::from(""), self.around.frame().slot(), result));
        Node::Path(Box::new(Node::Context(entries)), Arc::from(""))
    }
}

/// The decisions that outputs need, those needed before those that need them, without what is handed in.
fn order(outputs: &[usize], inputs: &[usize], graph: &Graph) -> Vec<usize> {
    let mut needed: HashSet<usize> = HashSet::new();
    let mut open: Vec<usize> = outputs.to_vec();
    while let Some(part) = open.pop() {
        if !inputs.contains(&part) && graph.is_decision(part) && needed.insert(part) {
            open.extend(graph.needs[part].iter().copied());
        }
    }
    // The graph's own order is one in which nothing comes before what it needs.
    graph.order.iter().copied().filter(|part| needed.contains(part)).collect()
}
