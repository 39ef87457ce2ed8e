//! Parts whose buffers are used again.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::SourceContext;
use wireq_typesys::{PartData, Position, Positions};

/// A part that nobody reads any more, with the rows it had, or one with new rows.
pub(super) fn reusable<T: Any + Send + Sync>(
    context: &mut SourceContext<'_>,
    new: impl FnOnce(&SourceContext<'_>) -> T,
) -> Arc<PartData> {
    while let Some(mut data) = context.retired.pop() {
        let fits = Arc::ptr_eq(&data.shape, context.shape);
        let reused = data.reuse().filter(|_| fits);
        if reused.is_some_and(|data| data.rows_mut::<T>().is_some()) {
            return data;
        }
    }
    Arc::new(PartData::new(
        Arc::clone(context.shape),
        Box::new(new(context)),
        0,
        Positions::Run(Position::START),
        context.origin,
    ))
}
