//! The built-in functions of DMN 1.5 (chapter 10.3.4), by name and parameters.

mod calendar;
mod entries;
mod interval;
mod list;
mod logic;
mod moment;
mod number;
mod pattern;
mod pattern_cost;
mod statistic;
mod string;
mod xpath;

use crate::evaluate::{Evaluation, place};
use crate::limits::Exceeded;
use crate::value::Value;

/// What a built-in function gives: nothing where the arguments are not what it takes.
pub(crate) type Given = Result<Option<Value>, Exceeded>;

/// A built-in function.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// The names of the parameters, `,` between them and `|` between ways to call the function.
    parameters: &'static str,
    pub(crate) run: fn(&mut Evaluation, &[Value]) -> Given,
}

impl Builtin {
    /// Arguments that are given by name, in their order.
    pub(crate) fn placed(&self, given: &[(&str, Value)]) -> Option<Vec<Value>> {
        let ways = || self.parameters.split('|').map(|way| way.split(',').collect::<Vec<&str>>());
        // `before(range: …, point: …)` is not `before(point: …, range: …)`: the order that is written goes first.
        let written =
            |names: &Vec<&str>| names.len() == given.len() && names.iter().zip(given).all(|(name, (other, _))| name == other);
        ways().find(written).and_then(|names| place(&names, given)).or_else(|| ways().find_map(|names| place(&names, given)))
    }
}

const fn of(name: &'static str, parameters: &'static str, run: fn(&mut Evaluation, &[Value]) -> Given) -> Builtin {
    Builtin { name, parameters, run }
}

/// All of them.
#[rustfmt::skip]
pub(crate) static ALL: [Builtin; 87] = [
    of("not", "negand", logic::not),
    of("string", "from", string::string),
    of("number", "from,grouping separator,decimal separator", number::number),
    of("substring", "string,start position,length", string::substring),
    of("string length", "string", string::length),
    of("upper case", "string", string::upper),
    of("lower case", "string", string::lower),
    of("substring before", "string,match", string::before),
    of("substring after", "string,match", string::after),
    of("contains", "string,match", string::contains),
    of("starts with", "string,match", string::starts),
    of("ends with", "string,match", string::ends),
    of("matches", "input,pattern,flags", pattern::matches),
    of("replace", "input,pattern,replacement,flags", pattern::replace),
    of("split", "string,delimiter", pattern::split),
    of("string join", "list,delimiter", string::join),
    of("decimal", "n,scale", number::decimal),
    of("round up", "n,scale", number::round_up),
    of("round down", "n,scale", number::round_down),
    of("round half up", "n,scale", number::round_half_up),
    of("round half down", "n,scale", number::round_half_down),
    of("floor", "n,scale", number::floor),
    of("ceiling", "n,scale", number::ceiling),
    of("abs", "n", number::abs),
    of("modulo", "dividend,divisor", number::modulo),
    of("sqrt", "number", number::sqrt),
    of("log", "number", number::log),
    of("exp", "number", number::exp),
    of("odd", "number", number::odd),
    of("even", "number", number::even),
    of("random number", "", number::random),
    of("count", "list", statistic::count),
    of("min", "list", statistic::min),
    of("max", "list", statistic::max),
    of("sum", "list", statistic::sum),
    of("mean", "list", statistic::mean),
    of("median", "list", statistic::median),
    of("stddev", "list", statistic::stddev),
    of("mode", "list", statistic::mode),
    of("product", "list", statistic::product),
    of("all", "list", logic::all),
    of("any", "list", logic::any),
    of("list contains", "list,element", list::list_contains),
    of("sublist", "list,start position,length", list::sublist),
    of("append", "list,item", list::append),
    of("concatenate", "list", list::concatenate),
    of("insert before", "list,position,newItem", list::insert_before),
    of("remove", "list,position", list::remove),
    of("list replace", "list,position,newItem|list,match,newItem", list::list_replace),
    of("reverse", "list", list::reverse),
    of("index of", "list,match", list::index_of),
    of("union", "list", list::union),
    of("distinct values", "list", list::distinct_values),
    of("flatten", "list", list::flatten),
    of("sort", "list,precedes", list::sort),
    of("get value", "m,key|context,key|context,keys|m,keys", entries::get_value),
    of("get entries", "m|context", entries::get_entries),
    of("context", "entries", entries::context),
    of("context put", "context,key,value|context,keys,value", entries::context_put),
    of("context merge", "contexts", entries::context_merge),
    of("date", "from|year,month,day", moment::date),
    of("time", "from|hour,minute,second,offset", moment::time),
    of("date and time", "from|date,time|year,month,day,hour,minute,second|year,month,day,hour,minute,second,offset|year,month,day,hour,minute,second,timezone", moment::date_and_time),
    of("duration", "from", moment::duration),
    of("years and months duration", "from,to", moment::years_and_months),
    of("day of year", "date", calendar::day_of_year),
    of("day of week", "date", calendar::day_of_week),
    of("month of year", "date", calendar::month_of_year),
    of("week of year", "date", calendar::week_of_year),
    of("now", "", calendar::now),
    of("today", "", calendar::today),
    of("is", "value1,value2", logic::is),
    of("before", "point1,point2|range1,range2|point,range|range,point", interval::before),
    of("after", "point1,point2|range1,range2|point,range|range,point", interval::after),
    of("meets", "range1,range2", interval::meets),
    of("met by", "range1,range2", interval::met_by),
    of("overlaps", "range1,range2", interval::overlaps),
    of("overlaps before", "range1,range2", interval::overlaps_before),
    of("overlaps after", "range1,range2", interval::overlaps_after),
    of("finishes", "range1,range2|point,range", interval::finishes),
    of("finished by", "range,point|range1,range2", interval::finished_by),
    of("includes", "range,point|range1,range2", interval::includes),
    of("during", "point,range|range1,range2", interval::during),
    of("starts", "point,range|range1,range2", interval::starts),
    of("started by", "range,point|range1,range2", interval::started_by),
    of("coincides", "point1,point2|range1,range2", interval::coincides),
    of("range", "from", moment::range),
];
